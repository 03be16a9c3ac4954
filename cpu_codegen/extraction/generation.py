"""A line of generations.jsonl → Extraction, by the rules that its run was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cpu_codegen.extraction.answer import extract
from cpu_codegen.extraction.evalplus import extract_evalplus
from cpu_codegen.schema import Extraction, ExtractMode, Outline, Problem

PARSE_TIMEOUT_S = 5.0
"""For one text; the engine's questions while it decodes have less."""


def extract_generation(
    generation: Mapping[str, Any], problem: Problem, mode: ExtractMode, *, outline: Callable[..., Outline]
) -> Extraction:
    """The program in one stored answer to a problem. `outline` parses a text in the sandbox within `timeout_s`."""
    chosen = extract_evalplus if mode == "evalplus" else extract
    return chosen(
        generation["text"],
        entry_point=problem.entry_point,
        statement=problem.statement,
        parse=partial(outline, timeout_s=PARSE_TIMEOUT_S),
        is_completion=bool(generation.get("is_completion")),
    )
