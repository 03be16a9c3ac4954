"""Progress on stderr: tqdm bars on a terminal, plain lines every few seconds elsewhere."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from cpu_codegen.report.escape import for_terminal

if TYPE_CHECKING:
    from tqdm import tqdm

PLAIN_LINE_EVERY_S = 30.0
_BAR_COLUMNS = 20
_NOTE_COLUMNS = 36  # room for `1640 tok/s  61 MB  ETA 0:11` and the like, which matters more than the bar


class Bars:
    """One bar per column; implements progress.Progress."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._column, self._total, self._done = "", 0, 0
        self._last_line_s = 0.0
        self._is_terminal = sys.stderr.isatty()

    def begin(self, column: str, total: int, done: int = 0) -> None:
        """A column starts; `done` of `total` were there already."""
        self.close()
        self._column, self._total, self._done = column, total, done
        self._last_line_s = time.monotonic()
        if self._is_terminal:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total,
                initial=done,
                desc=f"{column:<9}",
                file=sys.stderr,
                ascii=None,
                bar_format=self._layout(""),
            )

    def advance(self, note: str = "") -> None:
        """One more sample."""
        self._done += 1
        if self._bar is not None:
            self._bar.bar_format = self._layout(note)
            self._bar.update(1)
        elif time.monotonic() - self._last_line_s >= PLAIN_LINE_EVERY_S:
            self._plain_line(note)

    def end(self, note: str = "") -> None:
        """The column is complete."""
        if self._bar is not None:
            if note:
                self._bar.bar_format = self._layout(note)
                self._bar.refresh()
            self.close()
        else:
            self._plain_line(note)

    def say(self, text: str) -> None:
        """One line above the bars."""
        if self._bar is not None:
            self._bar.write(for_terminal(text), file=sys.stderr)
        else:
            print(for_terminal(text), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leaves the last state of the bar on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _layout(self, note: str) -> str:
        """The line for the terminal as wide as it is now: what gives way first is the bar, then elapsed time and spaces."""
        said = for_terminal(note).replace("{", "{{").replace("}", "}}")
        head = f"  {self._column:<9} {self._total}/{self._total}  "
        room = _columns() - len(head) - _NOTE_COLUMNS
        if room < 4:
            return f"{self._column} {{n_fmt}}/{{total_fmt}} {said.replace('  ', ' ')}"
        bar = f"{{bar:{min(room - 8, _BAR_COLUMNS)}}} " if room >= 12 else ""
        return f"  {{desc}} {bar}{{n_fmt}}/{{total_fmt}}  {said}  {{elapsed}}"

    def _plain_line(self, note: str) -> None:
        self._last_line_s = time.monotonic()
        print(
            f"  {self._column:<9} {self._done}/{self._total}  {for_terminal(note)}".rstrip(),
            file=sys.stderr,
            flush=True,
        )


def _columns() -> int:
    """Of the terminal behind stderr (stdout may be a file); 80 where it does not say."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
