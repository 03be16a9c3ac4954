"""A pass stands only if the test called the program as often as it calls the canonical solution."""

from __future__ import annotations

from cpu_codegen.sandbox import Sandbox
from cpu_codegen.schema import AssertTask, Job, Limits, Outcome

# A careless test: any exception ends it, and it counts as passed.
CARELESS = """
try:
    for n in range(5):
        assert f(n) == n
except ValueError:
    pass
"""
CANONICAL = "def f(x):\n    return x"
GIVES_UP = "def f(x):\n    if x == 2: raise ValueError(x)\n    return x"


def outcome_of(box: Sandbox, code: str, canonical: str) -> tuple[Outcome, str, int]:
    """Outcome, detail, tests passed."""
    (end,) = box.judge([Job("1", code, "f", AssertTask(CARELESS, canonical=canonical), Limits())])
    return end.outcome, end.detail, end.tests_passed


def test_a_test_that_ended_early_is_not_passed(box: Sandbox) -> None:
    """Three calls instead of five: wrong, though the test raised nothing; the same calls as the canonical solution: passed."""
    assert outcome_of(box, GIVES_UP, CANONICAL) == (Outcome.WRONG, "calls", 0)
    assert outcome_of(box, "def f(x): return int(x)", CANONICAL) == (Outcome.PASSED, "", 1)


def test_without_a_canonical_solution_that_passes_nothing_is_said(box: Sandbox) -> None:
    """No canonical solution, or one that fails here, leaves the verdict as it is."""
    assert outcome_of(box, GIVES_UP, "")[0] is Outcome.PASSED
    assert outcome_of(box, GIVES_UP, "def f(x): return -1")[0] is Outcome.PASSED
