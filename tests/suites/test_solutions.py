"""Reference solutions as text: what is left out, and that the program stays the same."""

from __future__ import annotations

import ast

import pytest

from cpu_codegen.schema import AssertTask, Problem, ProblemFileTask
from cpu_codegen.suites.lowcost60 import load_lowcost60
from cpu_codegen.suites.solutions import code_lines, solution, without_docstring


@pytest.mark.parametrize("problem", load_lowcost60(), ids=lambda problem: problem.entry_point)
def test_the_reference_defines_its_entry_point_and_nothing_of_ours(problem: Problem) -> None:
    """Without `naive`, `scaled`, `accept` and CASES; without its docstring it differs in that statement alone."""
    assert isinstance(problem.task, ProblemFileTask)
    whole = ast.parse(solution(problem))
    names = {node.name for node in whole.body if isinstance(node, ast.FunctionDef)}
    assert problem.entry_point in names
    assert not names & {"naive", "scaled", "accept"}
    cut = ast.parse(without_docstring(solution(problem), problem.entry_point))
    for tree in (whole, cut):
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == problem.entry_point and tree is whole:
                node.body = node.body[1:]
    assert ast.dump(whole) == ast.dump(cut)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('def f():\n    """Says."""\n    return 1\n', "def f():\n    return 1\n"),
        ('def f():\n    """Says\n    more."""\n\n    # why\n    return 1\n', "def f():\n\n    # why\n    return 1\n"),
        ('def g():\n    """Says."""\n    return 1\n', 'def g():\n    """Says."""\n    return 1\n'),
        ('def f():\n    """Says."""\n', 'def f():\n    """Says."""\n'),
        ('def f(): "Says."; return 1\n', 'def f(): "Says."; return 1\n'),
        ("def f(:\n", "def f(:\n"),
    ],
)
def test_only_a_docstring_that_stands_alone_is_taken_out(source: str, expected: str) -> None:
    """Comments and layout stay; another function's, a whole body, one that shares its line, and broken code stay as they are."""
    assert without_docstring(source, "f") == expected


def test_tasks_without_a_program_have_no_solution() -> None:
    """A check alone is none; a program that was given with it is."""
    bare = Problem("x/1", "x", "", "f", "def f():\n", "h", AssertTask(test="assert f() is None"))
    given = Problem("x/1", "x", "", "f", "def f():\n", "h", AssertTask(test="", canonical="def f():\n    return 1\n"))
    assert solution(bare) == ""
    assert solution(given) == "def f():\n    return 1\n"
    assert code_lines(solution(given)) == 2
