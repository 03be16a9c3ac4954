"""MBPP+'s inputs mean what their contracts say."""

from __future__ import annotations

import ast
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.judging.inputs import encoded_inputs, mbpp_rule
from cpu_codegen.sandbox import values
from cpu_codegen.schema import EvalPlusTask
from cpu_codegen.suites import datasets
from cpu_codegen.suites.evalplus import load_humaneval_plus, load_mbpp_plus


@pytest.fixture
def mirror(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published files."""
    monkeypatch.setenv(datasets.MIRROR, str(shared / "datasets"))


@pytest.mark.parametrize(
    ("task_id", "arguments", "expected"),
    [
        ("Mbpp/2", [[1, 2], [3]], [(1, 2), (3,)]),
        ("Mbpp/63", [[[1, 2], [3, 4]]], [[(1, 2), (3, 4)]]),
        ("Mbpp/75", [[[1, 2]], 3], [[(1, 2)], 3]),
        ("Mbpp/106", [[1], [2, 3]], [[1], (2, 3)]),
        ("Mbpp/124", ["1.5", "(2+3j)"], (1.5, 2 + 3j)),
        ("Mbpp/252", ["(1+2j)"], [1 + 2j]),
        ("Mbpp/250", [[1, 2], 1], [(1, 2), 1]),
        ("Mbpp/259", [[[1, 2]], [[3, 4]]], [((1, 2),), ((3, 4),)]),
        ("Mbpp/278", [[1, [2], 3]], [(1, (2,), 3)]),
        ("Mbpp/722", [{"a": [1, 2]}, 6], [{"a": (1, 2)}, 6]),
        ("Mbpp/580", [[1, [2, [3]]]], ((1, (2, (3,))),)),
        ("Mbpp/115", [[[1, 1], []]], [[{1}, {}]]),
        ("Mbpp/3", [[1, [2]]], [[1, [2]]]),
        ("HumanEval/2", [[1, [2]]], [[1, [2]]]),
    ],
)
def test_each_group_of_tasks(task_id: str, arguments: list[Any], expected: Any) -> None:
    """Lists become tuples, sets and complex numbers as EvalPlus's own deserialisation makes them."""
    found = mbpp_rule(task_id)(arguments)
    assert repr(found) == repr(expected)


def test_the_numbers_of_inputs_are_the_published_ones(mirror: None) -> None:
    """1570 + 122683 for HumanEval+, 1174 + 39841 for MBPP+; Mbpp/793 has no plus tests."""
    counts = {}
    for problem in [*load_humaneval_plus(), *load_mbpp_plus()]:
        assert isinstance(problem.task, EvalPlusTask)
        base, plus = encoded_inputs(problem.id, problem.task.packed_record)
        counts[problem.id] = len(base), len(plus)
    humaneval = [counts[i] for i in counts if i.startswith("HumanEval")]
    mbpp = [counts[i] for i in counts if i.startswith("Mbpp")]
    assert [len(humaneval), *map(sum, zip(*humaneval, strict=True))] == [164, 1570, 122683]
    assert [len(mbpp), *map(sum, zip(*mbpp, strict=True))] == [378, 1174, 39841]
    assert counts["Mbpp/793"] == (3, 0)


def test_every_base_input_of_mbpp_keeps_its_contract(mirror: None) -> None:
    """The contracts (published with the inputs, used nowhere else here) assert the arguments' types."""
    records = {record["task_id"]: record for record in map(json.loads, datasets.records(datasets.MBPP_PLUS))}
    checked = 0
    for problem in load_mbpp_plus():
        assert isinstance(problem.task, EvalPlusTask)
        base, _ = encoded_inputs(problem.id, problem.task.packed_record)
        contract, names = records[problem.id]["contract"], _parameters(problem.task.canonical, problem.entry_point)
        for encoded in base:
            exec(_indented(contract), {"re": re, **dict(zip(names, values.decode(encoded), strict=False))})
            checked += 1
    assert checked == 1174


def _parameters(canonical: str, entry_point: str) -> list[str]:
    with warnings.catch_warnings():  # published code with "\w" in plain strings
        warnings.simplefilter("ignore")
        tree = ast.parse(canonical)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == entry_point]
    return [argument.arg for argument in functions[-1].args.args]


def _indented(contract: str) -> str:
    return "if True:\n" + (contract if contract.strip() else " pass")
