"""A problem's reference solution as text: what the page lays beside an answer, and what a ladder's models are scored on. Pure.

Sources are parsed, never imported. HumanEval without plus carries no solution here: its tests are all that is kept of it.
"""

from __future__ import annotations

import ast

from cpu_codegen.schema import AssertTask, EvalPlusTask, Problem, ProblemFileTask

_OURS = frozenset(("naive", "scaled", "accept"))
_OUR_NAMES = frozenset(("CASES", "SIZES", "GROWTH", "WRONG"))


def solution(problem: Problem) -> str:
    """The reference with the imports and helpers that stand around it; "" where the suite carries none."""
    match problem.task:
        case ProblemFileTask(source=source):
            return _of_problem_file(source)
        case EvalPlusTask(canonical=canonical):
            return canonical
        case AssertTask(canonical=canonical):
            return canonical


def _of_problem_file(source: str) -> str:
    """The file without what describes the problem to us."""
    kept = []
    for node in ast.parse(source).body:
        ours = getattr(node, "name", None) in _OURS or _assigns(node, _OUR_NAMES)
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not ours and not is_docstring:
            kept.append(ast.get_source_segment(source, node, padded=True) or "")
    return "\n\n".join(kept) + "\n"


def _assigns(node: ast.stmt, names: frozenset[str]) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id in names for target in targets)


def without_docstring(source: str, entry_point: str) -> str:
    """The same program less the docstring of its entry point, which only repeats the prompt; all else stays as it is written.

    A docstring that shares a line with code, or that is the whole body, stays.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.split("\n")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == entry_point and ast.get_docstring(node) is not None:
            said, rest = node.body[0], node.body[1:]
            last = said.end_lineno or said.lineno
            alone = lines[said.lineno - 1][: said.col_offset].strip() == "" and (not rest or rest[0].lineno > last)
            if rest and alone:
                del lines[said.lineno - 1 : last]
    return "\n".join(lines)


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
