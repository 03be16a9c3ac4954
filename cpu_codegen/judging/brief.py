"""A repr that is never longer than asked and never walks a whole large value. For failures shown to people."""

from __future__ import annotations

from itertools import islice
from typing import Any

MAX_CHARS = 2000
_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), set: ("{", "}"), frozenset: ("frozenset({", "})")}


def brief(value: Any, limit: int = MAX_CHARS) -> str:
    """At most `limit` characters of the value's repr; cut texts end in "…"."""
    text = _show(value, limit, 0)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _show(value: Any, budget: int, depth: int) -> str:
    kind = type(value)
    if depth > 20:
        return "…"
    if kind in (str, bytes, bytearray):
        return repr(value[:budget]) + ("…" if len(value) > budget else "")
    if kind is int and value.bit_length() > 4000:
        return f"<int of {value.bit_length()} bits>"
    if kind is dict:
        pairs = (f"{_show(k, budget, depth + 1)}: {_show(v, budget, depth + 1)}" for k, v in value.items())
        return "{" + _join(pairs, budget) + "}"
    if kind in _BRACKETS:
        left, right = _BRACKETS[kind] if value or kind is not set else ("set(", ")")
        return left + _join((_show(item, budget, depth + 1) for item in value), budget) + right
    if kind is tuple:
        inside = _join((_show(item, budget, depth + 1) for item in value), budget)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return _tagged(value, budget)


def _tagged(value: Any, budget: int) -> str:
    """Types whose repr does not tell them apart are named."""
    try:
        text = repr(value)[: budget + 1]
    except Exception as error:  # digits over the limit, a signalling NaN in a Counter, a character that is none
        return f"<{type(value).__name__}: {type(error).__name__}>"
    if type(value).__module__ == "numpy" and "(" not in text:
        return f"{type(value).__name__}({text})"
    return text


def _join(parts: Any, budget: int) -> str:
    shown: list[str] = []
    size = 0
    for part in islice(parts, budget):
        shown.append(part)
        size += len(part) + 2
        if size > budget:
            shown.append("…")
            break
    return ", ".join(shown)
