"""Verdicts as plain dicts, and the words for what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpu_codegen.judging.brief import brief
from cpu_codegen.sandbox.inside.replies import CandidateFault, Raised

_EXITS = ("SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException")
_UNSUPPORTED = "cpu_codegen.sandbox.values.Unsupported"


def of_fault(fault: CandidateFault) -> dict[str, Any]:
    """The verdict for a candidate that ended, hung or broke the protocol."""
    if fault.kind == "gone":
        return {"outcome": "gone", "message": str(fault)}
    if fault.kind == "timeout":
        return {"outcome": "timeout", "message": str(fault)}
    if fault.kind == "compile":
        return {"outcome": "syntax", "detail": fault.error[0], "message": fault.error[1]}
    if fault.kind in ("load", "exit"):
        return of_error(fault.error)
    detail = "output_too_large" if str(fault) == "output too large" else "violation"
    return {"outcome": "error", "detail": detail, "message": str(fault)}


def of_error(error: Sequence[str]) -> dict[str, Any]:
    """The verdict for an exception in the program: [type name, message, missing module]."""
    name, message, missing = error
    text = f"{name}: {message}" if message else name
    if name == "MemoryError":
        return {"outcome": "memory", "detail": name, "message": text}
    if name in _EXITS:
        return {"outcome": "error", "detail": "exit", "message": text}
    if name == _UNSUPPORTED:
        return {"outcome": "error", "detail": "unsupported_type", "message": message}
    if name in ("ModuleNotFoundError", "ImportError") and missing:
        return {"outcome": "error", "detail": f"import:{missing.partition('.')[0]}", "message": text}
    return {"outcome": "error", "detail": name.rpartition(".")[2], "message": text}


def of_wrong(message: str = "") -> dict[str, Any]:
    """The verdict for a wrong answer."""
    return {"outcome": "wrong", "message": message[:1000]}


def with_counts(verdict: dict[str, Any], passed: int, total: int) -> dict[str, Any]:
    """The verdict with how many tests there are and how many passed before the first failure."""
    return {**verdict, "tests_passed": passed, "tests_total": total}


def failure(inputs: Sequence[Any], expected: Any, got: Any) -> list[str]:
    """The first failing test as short texts."""
    shown = f"raised {got.error[0]}: {got.error[1]}"[:2000] if isinstance(got, Raised) else brief(got)
    return [brief(tuple(inputs)), brief(expected), shown]
