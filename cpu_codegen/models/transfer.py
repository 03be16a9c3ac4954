"""How a download stands, and who is told of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cpu_codegen.sizes import format_bytes


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a download stands. `bytes_per_s` and `left_s` are None until they can be told."""

    name: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float | None = None
    left_s: float | None = None


def transfer_note(transfer: Transfer) -> str:
    """`412 MB of 1.12 GB  3.1 MB/s  ETA 3:48`."""
    parts = [f"{format_bytes(transfer.done_bytes)} of {format_bytes(transfer.total_bytes)}"]
    if transfer.bytes_per_s is not None:
        parts.append(f"{format_bytes(transfer.bytes_per_s)}/s")
    if transfer.left_s is not None and transfer.done_bytes < transfer.total_bytes:
        minutes, seconds = divmod(round(transfer.left_s), 60)
        parts.append(f"ETA {minutes}:{seconds:02d}")
    return "  ".join(parts)


class Watcher:
    """Is told how a download goes; does nothing unless overridden."""

    def moved(self, transfer: Transfer) -> None:
        """Bytes came, at most a few times a second."""

    def say(self, text: str) -> None:
        """Something worth a line: waiting for another process, a retry, first use of an unpinned file."""

    def pause(self, seconds: float) -> None:
        """Before a retry."""
        time.sleep(seconds)
