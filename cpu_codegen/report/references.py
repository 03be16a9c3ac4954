"""What the page shows beside an answer: each problem's statement and reference, where they are at hand on this machine.

A problem counts as at hand only when its hash is the one that the verdicts were made with. Data sets that would have to be
downloaded are left out, never fetched for a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.schema import Problem
from cpu_codegen.suites.load import load_suite
from cpu_codegen.suites.solutions import code_lines, solution


@dataclass(frozen=True, slots=True)
class Reference:
    """Statement and solution of one problem; `lines` counts the solution's code lines (no blanks, comments, docstrings)."""

    title: str
    statement: str
    solution: str
    lines: int


def references(summaries: Sequence[RunSummary]) -> dict[str, Reference]:
    """`suite id` → reference, for the problems of these runs that are at hand unchanged."""
    samples = [s for summary in summaries for s in summary.samples]
    hashes = {f"{s['suite']} {s['problem_id']}": s.get("data_hash") for s in samples}
    sources = {n: f.get("source") for summary in summaries for n, f in summary.manifest.get("suites", {}).items()}
    found: dict[str, Reference] = {}
    for suite in {s["suite"] for s in samples}:
        try:
            problems = load_suite(sources.get(suite) or suite, offline=True, left_out=[])
        except CpuCodegenError:
            continue
        for problem in problems:
            name = f"{suite} {problem.id}"
            if name in hashes and hashes[name] in (problem.data_hash, None):
                found[name] = _reference(problem)
    return found


def _reference(problem: Problem) -> Reference:
    text = solution(problem)
    return Reference(problem.title, problem.statement, text, code_lines(text))
