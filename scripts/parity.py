"""Verdicts compared with EvalPlus's own, sample by sample. Used by the tests and by bench_verdicts.py.

A difference is excused only by a rule of EXEMPTIONS: a property of the program for which EvalPlus's answer is wrong, shown by a
test of its own; never the name of a task.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Sample = dict[str, Any]
Verdict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One sample on which the two disagree; `reason` is "" where no rule excuses it."""

    sample: Sample
    verdict: Verdict
    reason: str

    def __str__(self) -> str:
        theirs = f"{self.sample['base_status']}/{self.sample['plus_status']}"
        ours = f"{self.verdict['base_status']}/{self.verdict['plus_status']}"
        name = f"{self.sample['task_id']} ({self.sample.get('source', '')})"
        return f"{name}: EvalPlus {theirs}, ours {ours} [{self.verdict['outcome']}]: {self.reason or 'UNEXPLAINED'}"


def lying_equality(sample: Sample, verdict: Verdict) -> bool:
    """The program returns an object whose class says what it equals; EvalPlus asks it, in the program's own process."""
    if "pass" not in (sample["base_status"], sample["plus_status"]) or verdict["outcome"] != "wrong":
        return False
    return any(isinstance(node, ast.FunctionDef) and node.name == "__eq__" for node in ast.walk(_tree(sample)))


def _tree(sample: Sample) -> ast.Module:
    try:
        return ast.parse(str(sample["solution"]))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


EXEMPTIONS: dict[str, Callable[[Sample, Verdict], bool]] = {
    "its own __eq__ decided there; here no object of the program's reaches the checker": lying_equality,
}


def differences(samples: Iterable[Sample], verdicts: Iterable[Verdict]) -> list[Difference]:
    """All samples whose two statuses are not EvalPlus's. Both come in the same order."""
    found = []
    for sample, verdict in zip(samples, verdicts, strict=True):
        if sample["task_id"] != verdict["task_id"]:
            raise ValueError(f"{sample['task_id']} beside {verdict['task_id']}")
        if (sample["base_status"], sample["plus_status"]) != (verdict["base_status"], verdict["plus_status"]):
            reasons = [reason for reason, applies in EXEMPTIONS.items() if applies(sample, verdict)]
            found.append(Difference(sample, verdict, "; ".join(reasons)))
    return found
