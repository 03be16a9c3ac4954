"""HumanEval by its own check(): every canonical solution passes, and what returns nothing passes nowhere."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from cpu_codegen.judging.limits import limits_for
from cpu_codegen.sandbox import Sandbox
from cpu_codegen.schema import Job, Limits
from cpu_codegen.suites import datasets
from cpu_codegen.suites.humaneval import load_humaneval


def test_canonical_solutions_pass_and_empty_ones_do_not(
    shared: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """164 of 164 and 0 of 164."""
    monkeypatch.setenv(datasets.MIRROR, str(shared / "datasets"))
    records = [json.loads(line) for line in datasets.records(datasets.HUMANEVAL)]
    jobs = []
    for problem, record in zip(load_humaneval(), records, strict=True):
        limits = limits_for(problem.task, Limits())
        for kind, body in (("canonical", record["canonical_solution"]), ("empty", "    return None\n")):
            code = record["prompt"] + body
            jobs.append(Job(f"{kind} {problem.id}", code, problem.entry_point, problem.task, limits))
    passed = Counter(e.job_id.partition(" ")[0] for e in sandbox.judge(jobs) if e.outcome == "passed")
    assert passed == {"canonical": 164}
