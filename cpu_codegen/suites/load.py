"""A suite's name → its problems. Data sets come from their publishers, checked by digest (see each suite's file)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cpu_codegen.errors import UsageError
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


def load_suite(name: str, *, offline: bool = False) -> list[Problem]:
    """The problems of a named suite, or of a folder of problem files. UsageError for an unknown name."""
    if name in SUITES:
        return SUITES[name](offline)
    path = Path(name)
    if path.is_dir():
        from cpu_codegen.suites.lowcost60 import load_folder

        return load_folder(path, suite=path.resolve().name)
    raise UsageError(f"no suite {name!r}", remedy=f"-s with one of {', '.join(SUITES)}, or a folder of problem files")
