"""The self-test's rule: it fails only where the data rule the promise out, and prints what it found either way."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.errors import UsageError
from cpu_codegen.measure.selftest import Findings, differing_growth
from cpu_codegen.measure.workload import Workload
from cpu_codegen.schema import Ratio

SAME, DIFFERENT = Ratio(1.0, 0.97, 1.03, 10), Ratio(1.1, 1.05, 1.15, 10)


def findings(different: int, of: int, *, found: int = 30, naive: int = 30) -> Findings:
    """Findings with so many false differences and found naive solutions."""
    ratios = [DIFFERENT] * different + [SAME] * (of - different)
    return Findings(same=ratios, naive={f"p{i}": i < found for i in range(naive)})


def test_chance_does_not_fail_it() -> None:
    """16 of 300 are 5.3 %, but no proof of more than 5 %; 30 of 300 are."""
    assert findings(16, 300).holds
    assert not findings(30, 300).holds


def test_naive_must_be_found() -> None:
    """26 of 30 found may be 90 %; 15 of 30 may not."""
    assert findings(0, 300, found=26).holds
    assert not findings(0, 300, found=15).holds


def test_summary() -> None:
    """Rates, the resolved ratio, and which naive solutions were missed."""
    summary = findings(3, 300, found=29).summary()
    assert summary["false_rate"] == pytest.approx(0.01)
    assert summary["false_rate_low"] < 0.01
    assert summary["resolves_ratio"] == pytest.approx(1 / 0.97)
    assert summary["within_3_percent"] == pytest.approx(0.99)
    assert summary["naive_missed"] == ["p29"]
    assert Findings().summary()["false_rate"] is None


def test_growth_that_differs() -> None:
    """Naive counts only where the problem file says that it grows otherwise."""
    linear = Workload("", "f", (), naive_entry="naive", growth=(("reference", "n"), ("naive", "n^2")))
    equal = Workload("", "f", (), naive_entry="naive", growth=(("reference", "n"), ("naive", "n")))
    assert differing_growth(linear)
    assert not differing_growth(equal)
    assert not differing_growth(Workload("", "f", ()))


def test_a_run_or_the_self_test() -> None:
    """Neither or both are a usage error."""
    for arguments in (["efficiency"], ["efficiency", "latest", "--self-test"]):
        assert isinstance(CliRunner().invoke(app, arguments).exception, UsageError)
