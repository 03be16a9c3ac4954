"""HumanEval+'s and MBPP+'s own inputs as workloads: the heaviest are kept, those under the floor are counted."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.columns.measure import Column
from cpu_codegen.measure.workload import NoWorkload, open_workload
from cpu_codegen.progress import Silent
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import EvalPlusTask, Problem
from cpu_codegen.suites.load import load_suite

SUM_TO = "def sum_to(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n"
SLOWER = SUM_TO.replace("+= i\n", "+= i\n        total += 0\n        total += 0\n")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests of this file."""
    with open_sandbox(workers=1) as opened:
        yield opened


def problem(base: Sequence[Any], plus: Sequence[Any]) -> Problem:
    """A task as the suites make it from a published record."""
    record = json.dumps({"base_input": base, "plus_input": plus}).encode()
    task = EvalPlusTask("humaneval+", "HumanEval/9000", SUM_TO, zlib.compress(record), 0.0)
    return Problem("HumanEval/9000", "humaneval+", "", "sum_to", "", "1", task)


def result(problem: Problem, code: str) -> dict[str, Any]:
    """A passed result."""
    return {
        "key": f"r{problem.id}",
        "generation": problem.id,
        "problem_id": problem.id,
        "suite": problem.suite,
        "level": "",
        "style": "plain",
        "code": code,
        "data_hash": problem.data_hash,
    }


def test_the_heaviest_inputs_are_kept(sandbox: Sandbox) -> None:
    """Of inputs of equal length the slow ones are found, and the quick ones counted as under the floor."""
    quick, slow = [[n] for n in range(10, 20)], [[90_000], [80_000], [70_000]]
    share_s = 300.0  # time for all, however busy the cores
    with open_workload(sandbox, problem(quick, slow), share_s=share_s) as workload:
        assert sorted(args[0] for args in workload.rungs[0].batch) == [70_000, 80_000, 90_000]
        assert workload.inputs is not None
        assert (workload.inputs.total, workload.inputs.tried) == (13, 13)
        assert workload.inputs.under_floor == 10
        assert len(workload.tests()) == 13


def test_inputs_leave_time_to_compare(sandbox: Sandbox) -> None:
    """An input that would take the program's whole share is passed over for the heaviest that leave time for enough blocks."""
    heavy, light = [[4_000_000]], [[20_000], [15_000], [10_000], [5_000]]
    with open_workload(sandbox, problem(heavy, light), share_s=1.0) as workload:
        assert [4_000_000] not in workload.rungs[0].batch
        assert [20_000] in workload.rungs[0].batch


def test_an_answer_is_measured_on_them(sandbox: Sandbox) -> None:
    """An answer that does more in its loop is measured as slower; its record says which inputs there were, and has no sizes."""
    subject = problem([[3]], [[60_000], [50_000], [40_000]])
    (record,) = Column(sandbox, {subject.id: subject}, "here").records([result(subject, SLOWER)], 4.0, Silent())
    assert record["status"] in ("measured", "disturbed"), record["reason"]
    assert record["cpu_ratio"]["low"] > 1
    assert record["size"] is None
    assert record["growth"] is None
    assert record["inputs"] == {"total": 4, "tried": 4, "under_floor": record["inputs"]["under_floor"]}
    assert record["unreached"] == {"lines": [], "tests": 4, "of": 4}
    assert record["reference_radon"]["sloc"] == 5


def test_light_inputs_give_no_verdict(sandbox: Sandbox) -> None:
    """Where even the heaviest inputs cost a few microseconds there is no ratio, and the reason names the floor."""
    subject = problem([[1], [2]], [[3]])
    (record,) = Column(sandbox, {subject.id: subject}, "here").records([result(subject, SUM_TO)], 2.0, Silent())
    assert record["status"] == "below_floor"
    assert "under the floor of 20 µs" in record["reason"]
    assert record["inputs"]["tried"] == 3


def test_a_task_without_inputs_is_no_workload(sandbox: Sandbox) -> None:
    """It is said, not guessed."""
    with pytest.raises(NoWorkload, match="no inputs"), open_workload(sandbox, problem([], [])):
        pass


def test_published_tasks(sandbox: Sandbox, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Canonical solutions of HumanEval+ and MBPP+ (tuples among the inputs) go through: measured or under the floor, no failure."""
    monkeypatch.setenv("CPU_CODEGEN_DATASETS", str(shared / "datasets"))
    chosen = {"humaneval+": ("HumanEval/0", "HumanEval/31"), "mbpp+": ("Mbpp/63",)}
    problems = {p.id: p for suite, ids in chosen.items() for p in load_suite(suite) if p.id in ids}
    results = [result(p, p.task.canonical) for p in problems.values() if isinstance(p.task, EvalPlusTask)]
    records = list(Column(sandbox, problems, "here").records(results, 20.0, Silent()))
    assert len(records) == 3
    assert {r["status"] for r in records} <= {"measured", "disturbed", "below_floor"}, [r["reason"] for r in records]
    assert all(0 < r["inputs"]["tried"] <= 60 for r in records)
    assert all(r["unreached"]["tests"] > 0 for r in records)
