"""The closed sets of words that records are written in."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = ("easy", "medium", "hard")

Comparator = Literal["strict", "evalplus"]
COMPARATORS: tuple[Comparator, ...] = ("strict", "evalplus")
"""When two values are equal: with their types, or as EvalPlus has it, loopholes included."""

ExtractMode = Literal["default", "evalplus"]
EXTRACT_MODES: tuple[ExtractMode, ...] = ("default", "evalplus")
"""How code is taken from an answer: by our rules, or by EvalPlus's sanitizer."""


class Outcome(StrEnum):
    """What became of one sample. `harness_error` is never counted against a model."""

    PASSED = "passed"
    WRONG = "wrong"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    SYNTAX = "syntax"
    NO_CODE = "no_code"
    HARNESS_ERROR = "harness_error"


class FinishReason(StrEnum):
    """Why generation of one sample ended."""

    ANSWER_COMPLETE = "answer_complete"
    STOP_STRING = "stop_string"
    EOS = "eos"
    LENGTH = "length"
    LOOP = "loop"
    PROMPT_TOO_LONG = "prompt_too_long"
    ENGINE_ERROR = "engine_error"


ReasoningEnd = Literal["model", "budget", "loop", "none"]
EvalPlusStatus = Literal["pass", "fail", "timeout"]
