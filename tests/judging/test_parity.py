"""Our verdicts are EvalPlus's, on a slice of its recorded ones; scripts/bench_verdicts.py compares all 2,462."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.judging.limits import limits_for
from cpu_codegen.sandbox import Sandbox
from cpu_codegen.schema import Job, Limits
from cpu_codegen.suites import datasets
from cpu_codegen.suites.load import load_suite
from scripts.parity import differences

# They take 60 s and more, as with EvalPlus; test_evalplus.py has the same on a task with one input.
SLOW_EDGES = (
    "infinite loop swallowing Exception",
    "timeout swallowed then right answer",
    "sleep 1s per call (60s cap)",
)
# Tasks whose reference runs for seconds: their expected outputs are another test's time.
SLOW_TASKS = frozenset(
    {f"HumanEval/{n}" for n in (15, 75, 83, 130, 139)} | {"Mbpp/123", "Mbpp/255", "Mbpp/392", "Mbpp/592"}
)
SLICE = 40


def samples_of(shared: Path, name: str) -> list[dict[str, Any]]:
    """All edge samples but the slow ones, and a seeded few of the others."""
    text = (shared / "samples" / f"{name}.jsonl").read_text(encoding="utf-8")
    samples = [json.loads(line) for line in text.split("\n") if line]
    if name.endswith("_edge"):
        return [sample for sample in samples if sample["source"] not in SLOW_EDGES]
    quick = [sample for sample in samples if sample["task_id"] not in SLOW_TASKS]
    return random.Random(1).sample(quick, SLICE)


@pytest.mark.parametrize(
    ("suite", "name"),
    [
        ("humaneval+", "humaneval_edge"),
        ("mbpp+", "mbpp_edge"),
        ("humaneval+", "humaneval_models"),
        ("humaneval+", "humaneval_mutants"),
        ("mbpp+", "mbpp_mutants"),
    ],
)
def test_statuses_are_evalplus_s(
    shared: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, suite: str, name: str
) -> None:
    """base_status and plus_status agree but where a reasoned rule says that EvalPlus is wrong."""
    monkeypatch.setenv(datasets.MIRROR, str(shared / "datasets"))
    problems = {problem.id: problem for problem in load_suite(suite)}
    samples = samples_of(shared, name)

    def job(index: int, sample: dict[str, Any]) -> Job:
        problem = problems[sample["task_id"]]
        limits = limits_for(problem.task, Limits())
        return Job(str(index), sample["solution"], problem.entry_point, problem.task, limits, "evalplus")

    found = {
        int(execution.job_id): execution
        for execution in sandbox.judge(map(job, *zip(*enumerate(samples), strict=True)))
    }
    verdicts = [
        {
            "task_id": sample["task_id"],
            "outcome": found[index].outcome.value,
            "base_status": found[index].base_status,
            "plus_status": found[index].plus_status,
        }
        for index, sample in enumerate(samples)
    ]
    unexplained = [str(difference) for difference in differences(samples, verdicts) if not difference.reason]
    assert not unexplained
