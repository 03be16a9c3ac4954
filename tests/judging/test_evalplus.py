"""Verdicts on tasks of EvalPlus's kind: statuses, limits, guards, loopholes, large outputs. Programs run in the sandbox."""

from __future__ import annotations

import hashlib

import pytest

from cpu_codegen.judging.prepared import unpack
from cpu_codegen.sandbox import Sandbox, expected
from cpu_codegen.schema import Outcome
from tests.judging.tasks import ADD, NUMBERS, judge, judge_all, statuses, task

PLAIN = task(ADD, NUMBERS, [[10, 20], [-1, -2]])


@pytest.mark.parametrize(
    ("code", "outcome", "base", "plus", "passed"),
    [
        (ADD, "passed", "pass", "pass", 5),
        ("add = lambda x, y: x + y", "passed", "pass", "pass", 5),
        ("def add(x, y): return x - y\n" + ADD, "passed", "pass", "pass", 5),
        ("def add(x, y): return x + y if x != 10 else 0", "wrong", "pass", "fail", 3),
        ("def add(x, y): return x + y if x != 5 else 0", "wrong", "fail", "pass", 3),
        ("def add(x, y): return x - y", "wrong", "fail", "fail", 0),
        ("def add(x, y) return x", "syntax", "fail", "fail", 0),
        ("def add(x, y):\0 return x", "syntax", "fail", "fail", 0),
        ("def plus(x, y): return x + y", "error", "fail", "fail", 0),
        ("", "error", "fail", "fail", 0),
        ("import pandas\n" + ADD, "error", "fail", "fail", 0),
        ("def add(x, y): raise ValueError", "error", "fail", "fail", 0),
        ("import sys\ndef add(x, y): sys.exit(0)", "error", "fail", "fail", 0),
        (ADD + "import sys\nsys.exit(0)", "error", "fail", "fail", 0),
        (ADD + "import os\nos._exit(0)", "error", "timeout", "timeout", 0),
        ("import os\ndef add(x, y): os._exit(0)", "error", "timeout", "timeout", 0),
        ("def add(x, y): return x + y if x < 10 else __import__('os')._exit(0)", "error", "pass", "timeout", 3),
        ("def add(x, y): return bytearray(6 << 30)", "memory", "fail", "fail", 0),
        ("def add(x, y): return add(x, y)", "error", "fail", "fail", 0),
        ("def add(x, y): print('a' * 10000); return x + y", "passed", "pass", "pass", 5),
        ("def add(x, y): return float(x + y)", "passed", "pass", "pass", 5),
    ],
)
def test_statuses(sandbox: Sandbox, code: str, outcome: str, base: str, plus: str, passed: int) -> None:
    """A part passes or fails by itself; a process that ends without an answer is EvalPlus's "timeout"; a plus suite needs both."""
    found = judge(sandbox, code, PLAIN)
    assert (found.outcome.value, *statuses(found)) == (outcome, base, plus), found
    assert (found.tests_passed, found.tests_total) == (passed, 5)
    assert found.cpu_s is not None
    assert found.peak_rss_bytes is not None


@pytest.mark.parametrize(
    "code",
    [
        ADD + "if __name__ == '__main__': raise SystemExit",
        ADD + "assert __name__ == 'builtins'",
        ADD + "assert exit is None and quit is None and open is None",
        ADD + "import os, shutil, subprocess\nassert not (os.getcwd or os.system or shutil.rmtree or subprocess.Popen)",
        ADD + "import os\nassert os.listdir() == os.listdir('.') == []",
    ],
)
def test_the_evalplus_comparator_s_surroundings(sandbox: Sandbox, code: str) -> None:
    """Programs run as in EvalPlus's exec(code, {}) behind its guard, whose side effects fail honest code too."""
    assert judge(sandbox, code, PLAIN).outcome is Outcome.PASSED


@pytest.mark.parametrize("line", ["__file__", "input()", "open('x')", "import psutil", "import resource"])
def test_what_evalplus_s_guard_takes_away_fails(sandbox: Sandbox, line: str) -> None:
    """At import each of these raises there, so it does here."""
    assert statuses(judge(sandbox, ADD + line, PLAIN)) == ("fail", "fail")


@pytest.mark.parametrize("name", ["subprocess.Popen", "shutil.rmtree", "shutil.move", "shutil.chown"])
def test_what_evalplus_s_guard_takes_from_modules_is_none_however_late_they_are_imported(
    sandbox: Sandbox, name: str
) -> None:
    """EvalPlus imports these modules itself, before the program; here a program that asks for one gets it without the names."""
    module = name.partition(".")[0]
    late = f"def add(x, y):\n    import tempfile, {module}\n    assert {name} is None and {module}.__name__\n    return x + y\n"
    assert statuses(judge(sandbox, late, PLAIN)) == ("pass", "pass")
    assert judge(sandbox, late, PLAIN, comparator="strict").outcome is Outcome.ERROR


def test_a_lying_eq_passes_nowhere(sandbox: Sandbox) -> None:
    """EvalPlus compares in the program's own process and takes its word. No object of the program's reaches our checker."""
    liar = "class Liar:\n    def __eq__(self, other): return True\ndef add(x, y): return Liar()"
    number = "class Liar(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    for code in (liar, number + "def add(x, y): return Liar(77)"):
        for comparator in ("evalplus", "strict"):
            found = judge(sandbox, code, PLAIN, comparator=comparator)  # type: ignore[arg-type]
            assert statuses(found) == ("fail", "fail")


def test_the_tolerance_is_sticky_within_a_part_only(sandbox: Sandbox) -> None:
    """After one expected float a part's integers are compared loosely; the other part begins anew; strict never does."""
    identity = "def f(x): return x"
    loose = "def f(x): return x + 50 if x == 10**9 else x"
    subject = task(identity, [[0.5], [10**9]], [[10**9], [0.5]])
    assert statuses(judge(sandbox, loose, subject, "f")) == ("pass", "fail")
    assert statuses(judge(sandbox, loose, subject, "f", "strict")) == ("fail", "fail")


def test_humaneval_32_reads_the_arguments_after_the_call(sandbox: Sandbox) -> None:
    """EvalPlus's flaw: who zeroes the coefficients has found a zero. Strict reads the arguments as they were given."""
    subject = task("def find_zero(xs): return -xs[0] / xs[1]", [[[-6.0, 3.0]]], [[[1.0, 2.0]]], atol=1e-4)
    cheat = "def find_zero(xs):\n    xs[:] = [0] * len(xs)\n    return 0"
    other = "def find_zero(xs): return -xs[0] / xs[1] + 1e-7"
    assert statuses(judge(sandbox, cheat, subject, "find_zero")) == ("pass", "pass")
    assert statuses(judge(sandbox, cheat, subject, "find_zero", "strict")) == ("fail", "fail")
    assert statuses(judge(sandbox, cheat.replace("[0]", "[0j]"), subject, "find_zero")) == ("pass", "pass")
    assert statuses(judge(sandbox, other, subject, "find_zero", "strict")) == ("pass", "pass")
    assert statuses(judge(sandbox, "def find_zero(xs): return None", subject, "find_zero")) == ("fail", "fail")


def test_no_plus_tests_pass_for_any_program_that_loads(sandbox: Sandbox) -> None:
    """Mbpp/793 is published with `{}` for its plus inputs."""
    subject = task(ADD, NUMBERS, {}, suite="mbpp+")
    codes = ["def add(x, y): return 0", "raise ValueError", "def other(): pass"]
    found = [statuses(execution) for execution in judge_all(sandbox, codes, subject)]
    assert found == [("fail", "pass"), ("fail", "fail"), ("fail", "fail")]


def test_the_limit_of_a_call_and_of_a_process(sandbox: Sandbox) -> None:
    """A hanging call fails after 4 s, by an exception; who swallows it hangs until the process's limit: no verdict in time."""
    subject = task(ADD, [[1, 2]], {})
    hangs = "def add(x, y):\n    while True: pass"
    swallows = """
def add(x, y):
    while True:
        try:
            while True:
                x = x + 0
        except Exception:
            y = y + 0
"""
    first, second = judge_all(sandbox, [hangs, swallows], subject)
    assert (first.base_status, first.outcome) == ("fail", Outcome.TIMEOUT)
    assert (second.base_status, second.outcome) == ("timeout", Outcome.TIMEOUT)


def test_a_memoized_recursion_has_the_stack_that_it_has_under_evalplus(sandbox: Sandbox) -> None:
    """EvalPlus raises the limit of the stack with that of memory; a function behind lru_cache recurses in C."""
    code = """
import functools, sys
sys.setrecursionlimit(10**6)
@functools.lru_cache(maxsize=None)
def depth(n): return n and 1 + depth(n - 1)
def f(n): return depth(n)
"""
    for comparator in ("evalplus", "strict"):
        found = judge(sandbox, code, task("def f(n): return n", [[60_000]], {}), "f", comparator)  # type: ignore[arg-type]
        assert found.outcome is Outcome.PASSED, found


BIG = "def f(n): return [i for i in range(n)]"


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("def f(n): return list(range(n))", True),
        ("def f(n): return [float(i) for i in range(n)]", True),
        ("def f(n): return [True if i == 1 else i for i in range(n)]", True),
        ("def f(n): return tuple(range(n))", False),
        ("def f(n): return list(range(n - 1)) + [0]", False),
        ("def f(n): return list(range(n + 1))", False),
        ("def f(n): return []", False),
        ("def f(n): return 'x' * 10**6", False),
        ("def f(n): return range(n)", False),
    ],
)
def test_large_outputs_are_judged_as_small_ones(sandbox: Sandbox, code: str, passes: bool) -> None:
    """A digest decides only that values are equal; unequal ones are compared with the reference's own output, piece by piece."""
    found = judge(sandbox, code, task(BIG, [[3], [100_000]], [[200_000]]), "f")
    assert (found.outcome is Outcome.PASSED) is passes, found


def test_large_texts(sandbox: Sandbox) -> None:
    """One other character in a megabyte is found."""
    subject = task("def f(n): return 'ab' * n", [[500_000]], [[2]])
    assert judge(sandbox, "def f(n): return 'ab' * n", subject, "f").outcome is Outcome.PASSED
    other = judge(sandbox, "def f(n): return 'ab' * (n - 1) + 'aa'", subject, "f")
    assert (other.outcome, statuses(other)) == (Outcome.WRONG, ("fail", "fail"))


def test_large_sets_of_elements(sandbox: Sandbox) -> None:
    """A task that compares sets takes another order and duplicates in a large output too."""
    subject = task("def Diff(n): return list(range(n))", [[100_000]], [[5]], suite="mbpp+", task_id="Mbpp/9000")
    shuffled = "def Diff(n): return list(range(n))[::-1] + [0]"
    assert judge(sandbox, shuffled, subject, "Diff").outcome is Outcome.PASSED
    assert judge(sandbox, "def Diff(n): return list(range(1, n)) * 2", subject, "Diff").outcome is Outcome.WRONG


def test_strict_sees_types(sandbox: Sandbox) -> None:
    """A float or a bool is no integer, whatever == says; no guard is in the way."""
    codes = [ADD, "def add(x, y): return float(x + y)", "def add(x, y): return True if x + y == 1 else x + y"]
    found = judge_all(sandbox, codes, task(ADD, [[1, 0]], [[2, 2]]), comparator="strict")
    assert [execution.outcome for execution in found] == [Outcome.PASSED, Outcome.WRONG, Outcome.WRONG]
    assert (
        judge(sandbox, ADD + "import os\nassert os.getcwd and open", PLAIN, comparator="strict").outcome
        is Outcome.PASSED
    )


def test_the_first_failing_input_is_shown(sandbox: Sandbox) -> None:
    """Input, expected value and what came."""
    found = judge(sandbox, "def add(x, y): return x + y if x < 5 else [x]", PLAIN)
    assert found.failure is not None
    assert (found.failure.input, found.failure.expected, found.failure.got) == ("(5, 7)", "12", "[5]")


def test_expected_outputs_are_computed_once(sandbox: Sandbox) -> None:
    """They are kept in the user's cache; a damaged file is computed anew."""
    subject = task(ADD, [[4, 4]], [[5, 5]], task_id="HumanEval/9001")
    path = expected.path_of(subject)
    assert not path.exists()
    assert judge(sandbox, ADD, subject).outcome is Outcome.PASSED
    kept, written = path.read_bytes(), path.stat().st_mtime_ns
    assert judge(sandbox, ADD, subject).outcome is Outcome.PASSED
    assert path.stat().st_mtime_ns == written
    path.write_bytes(kept[:-1])
    assert judge(sandbox, ADD, subject).outcome is Outcome.PASSED
    mended = path.read_bytes()
    assert hashlib.sha256(mended[32:]).digest() == mended[:32]


def test_the_canonical_solution_begins_anew_with_the_plus_tests(sandbox: Sandbox) -> None:
    """Names that it keeps between calls are fresh, though one process computes both parts, as in EvalPlus."""
    counts = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)"
    subject = task(counts, [[7], [7]], [[7], [7], [7]], task_id="HumanEval/9002")
    assert judge(sandbox, counts, subject, "f").outcome is Outcome.PASSED
    base, plus = unpack(expected._read(expected.path_of(subject)) or b"")
    assert [base.expected(i) for i in range(2)] == [1, 2]
    assert [plus.expected(i) for i in range(3)] == [1, 2, 3]


def test_a_canonical_solution_that_fails_is_no_fault_of_the_program(sandbox: Sandbox) -> None:
    """The outcome is a harness error, after one retry."""
    subject = task("def add(x, y): raise ValueError('broken')", [[1, 2]], [])
    found = judge(sandbox, ADD, subject)
    assert found.outcome is Outcome.HARNESS_ERROR
    assert "broken" in found.message
