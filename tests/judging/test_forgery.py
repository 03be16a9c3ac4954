"""Programs that write frames of their own instead of answering: no verdict is forged by them, none is put down to us.

A hostile program can find its channel and the number of the batch, so that it may send whatever it likes, but only values.
"""

from __future__ import annotations

import pytest

from cpu_codegen.sandbox import Sandbox
from cpu_codegen.sandbox.inside.raw_batch import Known
from cpu_codegen.schema import Job, Limits, Outcome, ProblemFileTask
from tests.judging.tasks import judge, statuses, task

RAW = """
import json, os, sys, time
def number():
    frame = sys._getframe(1)
    while type(frame.f_locals.get("number")) is not int:
        frame = frame.f_back
    return frame.f_locals["number"]
def raw(*reply, end=True):
    text = json.dumps([*reply], separators=(",", ":")).encode()
    rest = len(text).to_bytes(4, "little") + text
    while rest:
        try: rest = rest[os.write(3, rest):]
        except BlockingIOError: pass
    if end: time.sleep(60)
"""
TWICE = "def f(n): return 2 * n"
NUMBERS = [[i] for i in range(300)]  # two portions


@pytest.mark.parametrize("comparator", ["evalplus", "strict"])
def test_arguments_after_the_call_are_taken_only_where_they_were_asked_for(sandbox: Sandbox, comparator: str) -> None:
    """Some tasks have a second right answer that depends on the arguments; a program cannot say which ones it was given."""
    code = RAW + "def digit_distance_nums(a, b): raw(number(), [0, 4, [[11], [15]]])"
    canonical = "def digit_distance_nums(n1, n2): return sum(map(int, str(abs(n1 - n2))))"
    subject = task(canonical, [[1, 2]], {}, suite="mbpp+")
    found = judge(sandbox, code, subject, "digit_distance_nums", comparator)  # type: ignore[arg-type]
    assert (found.base_status, found.detail) == ("fail", "violation")


def test_strict_takes_no_arguments_back_for_humaneval_32(sandbox: Sandbox) -> None:
    """There EvalPlus reads the coefficients as the program left them; strict asks for none and believes none."""
    subject = task("def find_zero(xs): return -xs[0] / xs[1]", [[[-6.0, 3.0]]], {}, atol=1e-4)
    code = RAW + "def find_zero(xs): raw(number(), [0, 0, [[[0]]]])"
    assert judge(sandbox, code, subject, "find_zero", "strict").base_status == "fail"
    asked = RAW + "def find_zero(xs): raw(number(), [0, 2.0])"
    assert judge(sandbox, asked, subject, "find_zero", "evalplus").base_status == "fail"


def test_answers_to_calls_that_were_not_made_yet_are_a_fault(sandbox: Sandbox) -> None:
    """Inputs come in portions; right answers to the next portion's would put all later ones in the place of others."""
    code = RAW + "def f(n): raw(number(), *[[0, 2 * i] for i in range(257)]) if n == 0 else None; return 2 * n"
    found = judge(sandbox, code, task(TWICE, NUMBERS, {}), "f")
    assert (found.outcome, found.detail) == (Outcome.ERROR, "violation")
    assert found.tests_passed <= found.tests_total == len(NUMBERS)


@pytest.mark.parametrize(
    "value",
    [
        "collections.Counter({'a': decimal.Decimal('sNaN'), 'b': decimal.Decimal(1)})",
        "collections.Counter({0: 10**5000, 1: 1})",
        "fractions.Fraction(10**5000, 3)",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        "numpy.frombuffer(b'\\xff' * 8, '<U1')",
        "numpy.array(['NaT', '-292277022656-01-01'], 'M8[s]')",
        "{decimal.Decimal('NaN'): float('nan')}",
    ],
)
def test_values_that_cannot_be_shown_are_wrong_and_no_fault_of_ours(sandbox: Sandbox, value: str) -> None:
    """A `repr` that raises has no say in who is to blame."""
    code = f"import collections, decimal, fractions, numpy\ndef f(n): return {value}"
    found = judge(sandbox, code, task(TWICE, [[1]], {}), "f")
    assert found.outcome is Outcome.WRONG, found
    assert found.failure is not None
    source = f"{TWICE}\nCASES = [(1,)]\n"
    (own,) = sandbox.judge([Job("own", code, "f", ProblemFileTask(source))])
    assert own.outcome is Outcome.WRONG, own


def test_a_huge_output_that_nobody_expects_gets_no_time_of_its_own(sandbox: Sandbox) -> None:
    """A program that announces one and falls silent has the limits of all; it could hold a worker for minutes, call after call."""
    code = RAW + "def f(n): raw(number(), [2, 'list', 5_000_000, 1])"
    limits = Limits(wall_s=1.0, call_s=1.0)
    (found,) = sandbox.judge([Job("own", code, "f", ProblemFileTask(f"{TWICE}\nCASES = [(1,)]\n"), limits)])
    assert (found.outcome, statuses(found)) == (Outcome.TIMEOUT, (None, None))
    assert found.wall_s is not None
    assert found.wall_s < 30


@pytest.mark.parametrize("piece", ["[1] * 5000", "[]"], ids=["more than announced", "empty"])
def test_pieces_without_end_are_a_fault(sandbox: Sandbox, piece: str) -> None:
    """They would fill the checker's memory; empty ones keep it busy, as what has come is read without a look at the clock."""
    code = RAW + (
        "def f(n):\n"
        "    raw(number(), [2, 'list', 9000, 0], end=False)\n"
        "    raw('digest', '', 0, end=False)\n"
        f"    while True: raw('piece', {piece}, end=False)\n"
    )
    found = judge(sandbox, code, task("def f(n): return [n] * 9000", [[1]], {}), "f")
    assert (found.outcome, found.base_status, found.detail) == (Outcome.ERROR, "fail", "violation")


@pytest.mark.parametrize("comparator", ["evalplus", "strict"])
@pytest.mark.parametrize("reply", ["[0, null]", "[0,null]", "[0,  null]"])
def test_a_large_output_is_no_mark_in_the_expected_text(sandbox: Sandbox, comparator: str, reply: str) -> None:
    """What is kept in the place of a large expected output is a mark; a program that writes the mark itself has not answered."""
    code = RAW + (
        "def f(n):\n"
        f"    text = ('[%d,' % number() + {reply!r} + ']').encode()\n"
        "    os.write(3, len(text).to_bytes(4, 'little') + text)\n"
        "    time.sleep(60)\n"
    )
    subject = task("def f(n): return [n] * 90000", [[1]], {})
    limits = Limits(wall_s=20.0, call_s=4.0)
    (found,) = sandbox.judge([Job("0", code, "f", subject, limits, comparator)])  # type: ignore[arg-type]
    assert (found.outcome, found.base_status, found.tests_passed) == (Outcome.WRONG, "fail", 0), found


def test_known_replies_that_equal_nothing_are_never_the_same_bytes() -> None:
    """Neither alone nor in the middle of others; their neighbours still are."""
    texts = [b"[0,1]", b"[0, NaN]", b"[0,3]"]
    known = Known(b",".join(texts), [5, 14, 20])
    head = b"[7,"
    for first, sent, same in ((0, texts[:1], 1), (1, texts[1:2], 0), (0, texts, 0), (2, texts[2:], 1)):
        assert known.count_same(head + b",".join(sent) + b"]", len(head), first) == same
