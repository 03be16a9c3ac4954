"""Isolation on macOS, from the fork server's side. Written from documentation, untried; proof.py refuses what does not hold.

No pidfd: the parent kills by number, which cannot be reused before the server has waited for it. No death signal: the server
kills its children when the parent is gone. Memory is watched by the parent (watchdog.py), as macOS ignores RLIMIT_AS.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from cpu_codegen.sandbox.layers import privileges, rlimits, seatbelt

_HIGHEST_FD = 4096
_MORE_THREADS = 1024


class Isolation:
    """Applied to the calling process when made; `apply` puts the layers on a child."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.profile = seatbelt.profile(config["readable"], config["hidden"])
        self.uid: int | None = None
        if os.geteuid() == 0 and config["drop_uid"]:
            privileges.drop_uid()
            self.uid = privileges.NOBODY

    def facts(self) -> dict[str, Any]:
        """What holds besides the profile, which each child puts on."""
        return {"namespaces": False, "uid": self.uid}

    def measure_itself(self) -> None:
        """Nothing: the address space is not limited here."""

    def apply(self, child: dict[str, Any], move_fds: Callable[[], list[int]]) -> list[int]:
        """Limits, then the profile. Returns the data sockets' new numbers."""
        own = move_fds()
        os.closerange(max([2, *own]) + 1, _HIGHEST_FD)
        rlimits.apply(memory_bytes=child["memory_bytes"], cpu_s=child["cpu_s"], processes=_MORE_THREADS)
        seatbelt.restrict(self.profile)
        return own

    def handles(self, pids: Sequence[int]) -> list[int]:
        """None: there are no pidfds."""
        return []

    def after_the_last_child(self) -> None:
        """Nothing is kept between programs."""
