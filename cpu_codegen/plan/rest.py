"""How much memory a machine has to give with nothing else running. Pure.

What is free at the moment depends on what is open at the moment; whoever chooses a model for a machine may close programs.
"""

from __future__ import annotations

from cpu_codegen.machine import Machine

SYSTEM_SHARE, SYSTEM_MOST_BYTES = 0.2, 1_000_000_000
"""What a system without programs keeps for itself: a fifth of a small board, a gigabyte of a laptop with a desktop."""

CROWDED_SHARE = 0.8
"""Of that; less free memory than this means that other programs have a part that matters."""


def ram_at_rest_bytes(machine: Machine) -> int | None:
    """All memory (of the cgroup, where there is a limit) but the system's own part; None = unknown."""
    total = machine.ram_total_bytes
    return None if total is None else round(total - min(SYSTEM_SHARE * total, SYSTEM_MOST_BYTES))


def is_crowded(machine: Machine) -> bool:
    """Whether other programs hold so much memory that a choice by what is free would be one for this moment only."""
    rest, free = ram_at_rest_bytes(machine), machine.ram_available_bytes
    return rest is not None and free is not None and free < CROWDED_SHARE * rest
