"""A suite's name → its problems. Data sets come from their publishers, checked by digest (see each suite's file)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.errors import UsageError
from cpu_codegen.order import short_id
from cpu_codegen.progress import Progress
from cpu_codegen.schema import Problem


def _lowcost60(_: bool) -> list[Problem]:
    from cpu_codegen.suites.lowcost60 import load_lowcost60

    return load_lowcost60()


def _humaneval(offline: bool) -> list[Problem]:
    from cpu_codegen.suites.humaneval import load_humaneval

    return load_humaneval(offline=offline)


def _humaneval_plus(offline: bool) -> list[Problem]:
    from cpu_codegen.suites.evalplus import load_humaneval_plus

    return load_humaneval_plus(offline=offline)


def _mbpp_plus(offline: bool) -> list[Problem]:
    from cpu_codegen.suites.evalplus import load_mbpp_plus

    return load_mbpp_plus(offline=offline)


SUITES: dict[str, Callable[[bool], list[Problem]]] = {
    "lowcost60": _lowcost60,
    "humaneval": _humaneval,
    "humaneval+": _humaneval_plus,
    "mbpp+": _mbpp_plus,
}


@dataclass(frozen=True, slots=True)
class Suite:
    """The problems that a `-s` names. `source`: where a suite of one's own was read, "" for ours. `left_out`: what is broken."""

    name: str
    problems: list[Problem]
    source: str = ""
    left_out: tuple[str, ...] = ()

    def by_task_id(self) -> dict[str, Problem]:
        """Problems by id, and those of one's own by the name that stands in their file too: samples may bear either."""
        named = {problem.id: problem for problem in self.problems}
        short = {short_id(problem): problem for problem in self.problems} if self.source else {}
        return {**short, **named}


def load_suite(name: str, *, offline: bool = False, left_out: list[UsageError] | None = None) -> list[Problem]:
    """The problems of a named suite, of a folder of problem files, or of a file of JSON lines. UsageError for anything else.

    A broken problem of one's own raises UsageError, or is put into `left_out` where that is given.
    """
    if name in SUITES:
        return SUITES[name](offline)
    from cpu_codegen.suites.own import is_own, load_own

    if is_own(name):
        return load_own(Path(name), left_out=left_out)
    raise UsageError(
        f"no suite {name!r}",
        remedy=f"-s with one of {', '.join(SUITES)}, a folder of problem files, or a .jsonl file of tasks",
    )


def open_suite(
    name: str,
    *,
    offline: bool = False,
    keep_going: bool = False,
    allow_weak: bool = False,
    progress: Progress | None = None,
) -> Suite:
    """A suite ready to be judged by: one of one's own has had its references run in the sandbox.

    The first broken problem raises UsageError; with `keep_going` it is left out and told of.
    """
    if name in SUITES:
        return Suite(name, load_suite(name, offline=offline))
    from cpu_codegen.suites.own_checks import without_broken

    left_out: list[UsageError] = []
    problems = load_suite(name, offline=offline, left_out=left_out if keep_going else None)
    problems = without_broken(problems, left_out if keep_going else None, allow_weak=allow_weak, progress=progress)
    source = str(Path(name).expanduser().resolve())
    return Suite(problems[0].suite, problems, source, tuple(str(error) for error in left_out))


def open_suites(
    names: Sequence[str], *, offline: bool, keep_going: bool, allow_weak: bool, progress: Progress | None = None
) -> dict[str, Suite]:
    """Suites by name, in the order asked. UsageError when two of one's own have one name, or two hold the same problems."""
    found: dict[str, Suite] = {}
    for name in names:
        suite = open_suite(name, offline=offline, keep_going=keep_going, allow_weak=allow_weak, progress=progress)
        if suite.name in found:
            raise UsageError(f"two suites are named {suite.name}", remedy="rename one of the folders or files")
        for other in found.values():
            _refuse_shared(other, suite)
        found[suite.name] = suite
    return found


def _refuse_shared(one: Suite, other: Suite) -> None:
    """One answer would have to stand for two problems: their ids are equal, and so are the keys (humaneval, humaneval+)."""
    shared = {problem.id for problem in one.problems} & {problem.id for problem in other.problems}
    if shared:
        raise UsageError(
            f"{one.name} and {other.name} hold the same problems, such as {min(shared)}",
            remedy=f"-s {other.name} alone; then a run of its own with -s {one.name} --reuse, which generates nothing again",
        )


def suites_of(
    manifest: Mapping[str, Any], *, offline: bool = False, elsewhere: Sequence[str] = ()
) -> dict[str, list[Problem]]:
    """The suites of a run folder, one's own from where they were read, or from `elsewhere`. UsageError when they are gone."""
    from cpu_codegen.suites.own import own_name

    found: dict[str, list[Problem]] = {}
    moved = {own_name(Path(name).expanduser()): name for name in elsewhere}
    for name, facts in manifest.get("suites", {}).items():
        source = str(facts.get("source") or "") and moved.get(name, str(facts["source"]))
        if source and not Path(source).exists():
            raise UsageError(
                f"the problems of {name} were read from {source}, which is gone", remedy=f"-s PATH of {name}"
            )
        found[name] = load_suite(source or name, offline=offline, left_out=[] if source else None)
    return found
