"""Under weak isolation nothing that a program could have read reaches a result."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from cpu_codegen.sandbox.redaction import HIDDEN, redacted
from cpu_codegen.schema import Execution, Failure, Outcome

SECRET = "s3cr3t"


def told(**fields: object) -> Execution:
    """An execution in which the program says the secret wherever it can."""
    failure = Failure("(2,)", "3", f"'{SECRET}'")
    return Execution("1", Outcome.ERROR, message=f"KeyError: {SECRET}", failure=failure, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("detail", [SECRET, f"import:{SECRET}", "KeyError", "crash:SIGSEGV", "exit", ""])
def test_tier_c_hides_the_programs_words(detail: str) -> None:
    """Message, output and invented names are hidden; our own words, the input and what was expected stay."""
    shown = redacted(told(detail=detail), "C")
    assert SECRET not in str(asdict(shown))
    assert shown.failure == Failure("(2,)", "3", HIDDEN)
    assert shown.message == HIDDEN
    if SECRET not in detail:
        assert shown.detail == detail


@pytest.mark.parametrize("tier", ["A", "B", "D"])
def test_where_reading_is_enforced_nothing_is_hidden(tier: str) -> None:
    """The other tiers show everything."""
    assert redacted(told(detail=SECRET), tier) == told(detail=SECRET)


def test_our_own_faults_stay_readable() -> None:
    """A harness error's text is ours."""
    fault = Execution("1", Outcome.HARNESS_ERROR, message="the checker did not prepare in time")
    assert redacted(fault, "C") == fault
