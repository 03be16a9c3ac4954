"""How tokens are drawn. A module of its own: the registry of models needs nothing else of the schema, which re-exports it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. temperature 0 = greedy; then the rest is ignored."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
