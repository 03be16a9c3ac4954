"""Downloads on stderr: a bar with rate and ETA on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

from cpu_codegen.models.transfer import Transfer, Watcher, transfer_note
from cpu_codegen.report.escape import for_terminal

if TYPE_CHECKING:
    from tqdm import tqdm

PLAIN_LINE_EVERY_S = 10.0


class Transfers(Watcher):
    """Shows what a download says."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._name = ""
        self._last_line_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def moved(self, transfer: Transfer) -> None:
        """One more piece."""
        if not sys.stderr.isatty():
            self._plain_line(transfer)
            return
        if self._bar is None or self._name != transfer.name:
            self._open(transfer)
        assert self._bar is not None
        self._bar.set_postfix_str(transfer_note(transfer), refresh=False)
        self._bar.n = transfer.done_bytes
        self._bar.refresh()

    def say(self, text: str) -> None:
        """One line above the bar."""
        if self._bar is not None:
            self._bar.write(for_terminal(text), file=sys.stderr)
        else:
            print(for_terminal(text), file=sys.stderr, flush=True)

    def _open(self, transfer: Transfer) -> None:
        from tqdm import tqdm

        self._close()
        self._name = transfer.name
        self._bar = tqdm(
            total=transfer.total_bytes,
            desc=for_terminal(transfer.name.rsplit("/", 1)[-1]),
            file=sys.stderr,
            bar_format="{desc} {bar:20} {percentage:3.0f} %  {postfix}",
        )

    def _plain_line(self, transfer: Transfer) -> None:
        now = time.monotonic()
        if now - self._last_line_s >= PLAIN_LINE_EVERY_S or transfer.done_bytes == transfer.total_bytes:
            self._last_line_s = now
            print(f"  {for_terminal(transfer.name)}  {transfer_note(transfer)}", file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
