"""What a program said of itself, taken out of a result, for tiers in which it could have read your files (C: seccomp alone).

Such a program can send nothing and change nothing; what it read could leave only in what we write down of it: its output, the text
of its exceptions, their names. Verdict, counts, meters, the input and the expected value are ours and stay.
"""

from __future__ import annotations

import builtins
from dataclasses import replace

from cpu_codegen.schema import Execution, Failure, Outcome

HIDDEN = "(hidden: under weak isolation it could hold what the program read)"
_TIERS = ("C",)
_OUR_DETAILS = ("exit", "violation", "unsupported_type", "output_too_large", "twice", "expected", "calls")


def redacted(execution: Execution, tier: str) -> Execution:
    """The same, or without the program's own words where the tier lets it read files."""
    if tier not in _TIERS or execution.outcome is Outcome.HARNESS_ERROR:
        return execution
    failure = execution.failure
    return replace(
        execution,
        detail=_detail(execution.detail),
        message=HIDDEN if execution.message else "",
        failure=Failure(failure.input, failure.expected, HIDDEN) if failure else None,
    )


def _detail(detail: str) -> str:
    """Our words, signals and built-in exceptions; a program chooses the names of its own exceptions and imports."""
    if detail in _OUR_DETAILS or detail.startswith("crash:SIG"):
        return detail
    if detail.startswith("import:"):
        return "import"
    kind = getattr(builtins, detail, None)
    return detail if isinstance(kind, type) and issubclass(kind, BaseException) else ("other" if detail else "")
