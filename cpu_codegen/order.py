"""The seeded, level-balanced order in which every run takes its problems; `--limit N` is a prefix of it.

A block holds each level in its share of the suite, so that any prefix is a fair sample of all levels. The order depends on the
seed and the suite alone, never on filters, so that a scope may grow later without changing what came first.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterable, Sequence

from cpu_codegen.errors import UsageError
from cpu_codegen.schema import Level, Problem


def run_order(problems: Sequence[Problem], *, seed: int) -> list[Problem]:
    """All problems of one suite, shuffled within their levels and dealt out in each level's share."""
    piles: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=lambda p: p.id):
        piles.setdefault(problem.level, []).append(problem)
    placed: list[tuple[float, str, Problem]] = []
    for level, pile in piles.items():
        random.Random(f"{seed}/{level}").shuffle(pile)
        placed.extend(((index + 0.5) / len(pile), level, problem) for index, problem in enumerate(pile))
    placed.sort(key=lambda item: item[:2])
    return [problem for _, _, problem in placed]


def short_id(problem: Problem) -> str:
    """A problem's id without its suite's name; of a file of one's own, the task_id as it stands there."""
    return problem.id.partition("/")[2]


def _near(name: str, known: set[str]) -> str:
    """What to type instead of an id that there is not."""
    near = difflib.get_close_matches(name, sorted(known), n=2)
    return f"--ids {' or '.join(near)}" if near else "cpu-codegen problems list"


def select(
    ordered: Iterable[Problem], *, ids: Sequence[str] = (), levels: Sequence[Level] = (), limit: int | None = None
) -> list[Problem]:
    """The part of the order that was asked for. An id may be given with or without its suite's name."""
    problems = list(ordered)
    if ids:
        known = {name for p in problems for name in (p.id, short_id(p))}
        unknown = [name for name in ids if name not in known]
        if unknown:
            raise UsageError(f"no problem {unknown[0]!r} in this suite", remedy=_near(unknown[0], known))
        problems = [p for p in problems if p.id in ids or short_id(p) in ids]
    if levels:
        problems = [p for p in problems if p.level in levels]
    return problems[:limit] if limit is not None else problems
