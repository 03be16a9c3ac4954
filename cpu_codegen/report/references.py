"""What the page shows beside an answer: each problem's statement and reference, where they are at hand on this machine.

A problem counts as at hand only when its hash is the one that the verdicts were made with. Data sets that would have to be
downloaded are left out, never fetched for a report.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.schema import AssertTask, EvalPlusTask, Problem, ProblemFileTask
from cpu_codegen.suites.load import load_suite


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
    found: dict[str, Reference] = {}
    for suite in {s["suite"] for s in samples}:
        try:
            problems = load_suite(suite, offline=True)
        except CpuCodegenError:
            continue
        for problem in problems:
            name = f"{suite} {problem.id}"
            if name in hashes and hashes[name] in (problem.data_hash, None):
                found[name] = _reference(problem)
    return found


def _reference(problem: Problem) -> Reference:
    solution = _solution(problem)
    return Reference(problem.title, problem.statement, solution, code_lines(solution))


def _solution(problem: Problem) -> str:
    match problem.task:
        case ProblemFileTask(source=source):
            return _entry_function(source, problem.entry_point)
        case EvalPlusTask(canonical=canonical):
            return canonical
        case AssertTask():
            return ""


def _entry_function(source: str, entry_point: str) -> str:
    """The reference with the imports and helpers that stand around it; not what describes the problem to us."""
    kept = []
    for node in ast.parse(source).body:
        name = getattr(node, "name", None)
        ours = name in ("naive", "scaled", "accept") or _assigns(node, {"CASES", "SIZES", "GROWTH", "WRONG"})
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not ours and not is_docstring:
            kept.append(ast.get_source_segment(source, node, padded=True) or "")
    return "\n\n".join(kept) + "\n" if entry_point else source


def _assigns(node: ast.stmt, names: set[str]) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id in names for target in targets)


def code_lines(source: str) -> int:
    """Lines that hold code: blank lines, comments and docstrings apart; 0 for what is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0
    said = [n for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
    prose = {line for node in said for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    lines = enumerate(source.split("\n"), start=1)
    return sum(
        1 for number, line in lines if number not in prose and line.strip() and not line.lstrip().startswith("#")
    )
