"""One token of a step. Apart from binding.py, so that the scheduler imports where llama_cpp cannot."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Which sequence, where in it, which token, and whether its logits are wanted."""

    sequence: int
    position: int
    token: int
    wants_logits: bool
