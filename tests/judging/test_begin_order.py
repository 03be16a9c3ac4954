"""The order in which samples begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.judging.begin_order import SLOW_TASKS, BeginOrder
from cpu_codegen.suites.load import load_suite


def test_one_of_each_first_and_the_slow_ones_lead() -> None:
    """Two samples of one task side by side would leave a worker waiting for what the other computes for both."""
    samples = ["a", "a", "Mbpp/84", "b", "Mbpp/599", "Mbpp/599"]
    order = BeginOrder()
    assert sorted(samples, key=order.rank) == ["Mbpp/599", "Mbpp/84", "a", "b", "Mbpp/599", "a"]


def test_the_slow_tasks_are_tasks(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hint under a name that no suite has would help nobody."""
    monkeypatch.setenv("CPU_CODEGEN_DATASETS", str(shared / "datasets"))
    known = {problem.id for suite in ("humaneval+", "mbpp+") for problem in load_suite(suite)}
    assert set(SLOW_TASKS) <= known
