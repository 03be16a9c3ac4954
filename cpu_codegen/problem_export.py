"""Our problems in EvalPlus's own format, one JSON record each, for those who want to run them under EvalPlus.

The prompt is the statement; the canonical solution is the reference's body and the helpers that it needs. Inputs come from the
file's CASES (base) and from `scaled` at the small size (plus), both evaluated in the sandbox. A problem that the format cannot
express is named with the reason, never bent. Not covered: running EvalPlus (it reads HUMANEVAL_OVERRIDE_PATH).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any

from cpu_codegen.sandbox import ProbeFailed, ProblemProbe, Sandbox, values
from cpu_codegen.schema import Problem, ProblemFileTask

PLUS_INPUTS = 3
_OURS = frozenset(("naive", "CASES", "scaled", "SIZES", "GROWTH", "accept", "WRONG"))


class NotExpressible(Exception):
    """EvalPlus's format has no room for this problem; the message says why."""


def evalplus_records(problems: Sequence[Problem], sandbox: Sandbox) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Records in EvalPlus's layout, and problem id → reason for those that it cannot express."""
    records: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    for problem in problems:
        assert isinstance(problem.task, ProblemFileTask)
        with sandbox.probe(problem.task.source, problem.entry_point) as probe:
            try:
                records.append(_record(problem, problem.task.source, probe))
            except (NotExpressible, ProbeFailed) as error:
                left_out[problem.id] = str(error)
    return records, left_out


def _record(problem: Problem, source: str, probe: ProblemProbe) -> dict[str, Any]:
    facts = probe.facts()
    if facts.error:
        raise NotExpressible(facts.error)
    if facts.has_accept:
        raise NotExpressible("several answers are right; EvalPlus compares with one")
    base = [probe.case(index) for index in range(facts.case_count)]
    if any(probe.returns_iterator(args) for args in base[:1]):
        raise NotExpressible("the result is an iterator; EvalPlus compares with ==")
    plus = [probe.scaled(facts.sizes[0], seed) for seed in range(PLUS_INPUTS)] if facts.sizes else []
    return {
        "task_id": problem.id,
        "prompt": problem.statement,
        "entry_point": problem.entry_point,
        "canonical_solution": canonical_solution(source, problem.entry_point),
        "base_input": [_json_arguments(args) for args in base],
        "plus_input": [_json_arguments(args) for args in plus],
        "atol": 0,
        "contract": "",
    }


def _json_arguments(encoded: Any) -> list[Any]:
    """Arguments as JSON says them without tags."""
    arguments: list[Any] = values.decode(encoded)
    try:
        text = json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise NotExpressible(f"an argument that JSON cannot say: {error}") from None
    if json.loads(text) != arguments:
        raise NotExpressible("an argument that JSON would change")
    return arguments


def canonical_solution(source: str, entry_point: str) -> str:
    """What follows the statement: the reference's body, then the imports, constants and helpers of the file."""
    tree, lines = ast.parse(source), source.split("\n")
    parts: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            parts.insert(0, _lines(lines, node.body[1], node))
        elif _is_needed(node):
            parts.append(ast.get_source_segment(source, node, padded=True) or "")
    return "\n\n".join(parts) + "\n"


def _lines(lines: list[str], first: ast.stmt, last: ast.stmt) -> str:
    return "\n".join(lines[first.lineno - 1 : last.end_lineno])


def _is_needed(node: ast.stmt) -> bool:
    """False for the docstring, the future import (it may only stand first) and what describes the problem to us."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.ImportFrom(module="__future__"):
            return False
        case ast.FunctionDef(name=name):
            return name not in _OURS
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name not in _OURS
    return True
