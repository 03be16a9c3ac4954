"""The probe of problem files: what it answers, and that a hostile file gets no further than a hostile answer."""

from __future__ import annotations

import pytest

from cpu_codegen.sandbox import ProbeFailed, Sandbox, values
from cpu_codegen.schema import Limits

FILE = '''
def double(xs):
    """Twice each.

    >>> double([1])
    [2]
    """
    return [2 * x for x in xs]

def naive(xs):
    out = []
    for x in xs:
        out = out + [x + x]
    return out

CASES = [([n],) for n in range(12)]

def scaled(n, seed=0):
    return ([seed] * n,)

SIZES = (10, 100, 1000)
GROWTH = {"reference": "n", "naive": "n^2"}
'''


def test_facts_are_read_from_the_running_file(box: Sandbox) -> None:
    """Claim: the probe tells cases, doctests, sizes and growth of a file that the parent never imported."""
    with box.probe(FILE, "double") as probe:
        facts = probe.facts()
    assert (facts.error, facts.case_count, facts.doctest_count, facts.doctest_failures) == ("", 12, 1, 0)
    assert facts.sizes == (10, 100, 1000)
    assert dict(facts.growth) == {"reference": "n", "naive": "n^2"}
    assert facts.has_naive
    assert not facts.has_accept


def test_scaled_arguments_feed_a_session(box: Sandbox) -> None:
    """Claim: what `scaled` gives goes into a session as it is, and its output back to the file's own judgement."""
    with box.probe(FILE, "double") as probe, box.session(FILE, "naive", limits=Limits()) as session:
        args = probe.scaled(5, 3)
        outputs = session.call([args], fetch=True).outputs
        assert outputs is not None
        assert values.decode(outputs[0]) == [6] * 5
        assert probe.agrees(args, probe.output("reference", args), outputs[0])
        assert not probe.agrees(args, probe.output("reference", args), [0])


def test_lines_are_counted_alike_every_time(box: Sandbox) -> None:
    """Claim: executed lines are a measure of work that does not depend on the machine's mood."""
    with box.probe(FILE, "double") as probe:
        counts = [probe.count_lines("naive", size) for size in (10, 100, 10)]
    assert counts[0] == counts[2]
    assert counts[1] > 5 * counts[0]


def test_a_naive_that_differs_is_found_with_the_input(box: Sandbox) -> None:
    """Claim: disagreement names the size and seed that show it."""
    with box.probe(FILE.replace("x + x", "x + x + (x == 7)"), "double") as probe:
        differing = probe.naive_disagreement(20, 5)
    assert differing is not None
    assert ", 7)" in differing
    with box.probe(FILE, "double") as probe:
        assert probe.naive_disagreement(20, 5) is None


BROKEN = {
    "no Python": ("def f(", "SyntaxError"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "exits": ("import os; os._exit(0)", "its process ended"),
    "hangs": ("while True: pass", "no answer within"),
    "forks": ("import os; os.fork()", "PermissionError"),
    "reads": ("open('/etc/passwd')", "Error"),
    "has strange facts": ("SIZES = 3\nCASES = []\ndef f(): pass", "TypeError"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_does_not_load_is_a_fact_not_an_exception(name: str, box: Sandbox) -> None:
    """Claim: `facts` tells what is wrong with a file; hostile files run under the same layers as programs."""
    source, word = BROKEN[name]
    with box.probe(source, "f", timeout_s=2.0) as probe:
        error = probe.facts().error
    assert word in error


def test_a_question_that_the_file_cannot_answer_raises(box: Sandbox) -> None:
    """Claim: an exception in the file's own code is a ProbeFailed with its text, and the probe goes on."""
    with box.probe(FILE, "double") as probe:
        with pytest.raises(ProbeFailed, match="TypeError"):
            probe.scaled("x")  # type: ignore[arg-type]
        assert probe.scaled(1) == [[0]]
