"""Given texts → their tokens, and what a model thinks of them: the parent's side of engine/likelihood.py.

A native crash costs the text in flight, which is tried once more; its second crash there ends the work. Used by `ladder` and by
scripts/bench_fidelity.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cpu_codegen.engine import diagnosis
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.process import EngineDied
from cpu_codegen.errors import MachineError


def tokenized(engine: LlamaEngine, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts and hashes of each text's tokens, and the size of the vocabulary. MachineError when the engine dies of it."""
    try:
        with contextlib.closing(engine.ask({"do": "tokenize", "items": list(items)})) as events:
            return next(iter(events))
    except EngineDied as died:
        raise MachineError(engine.why_died(died), remedy=diagnosis.LESS_MEMORY) from None


def scores(
    engine: LlamaEngine, items: Sequence[dict[str, Any]], folder: Path, *, is_base: bool
) -> Iterator[dict[str, Any]]:
    """The figures of each text as it ends. A text at which the engine crashes is tried once more; then MachineError."""
    left = {item["key"]: item for item in items}
    suspect = ""
    while left:
        begun = ""
        command = {"do": "score", "items": list(left.values()), "folder": str(folder.resolve()), "is_base": is_base}
        try:
            with contextlib.closing(engine.ask(command)) as events:
                for event in events:
                    if event["event"] == "started":
                        begun = event["key"]
                    elif event["event"] == "scored":
                        del left[event["key"]]
                        yield event
        except EngineDied as died:
            why = engine.why_died(died)
            if begun in ("", suspect):
                raise MachineError(f"{why}; twice at the same text", remedy=diagnosis.LESS_MEMORY) from None
            suspect = begun
