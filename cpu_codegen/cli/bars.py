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
_NOTE_COLUMNS = 36  # what `1,640 tok/s  61 MB  ETA 0:11` may grow to, kept free so that the bar does not jump
_TIME_COLUMNS = 10  # `  1:02:03`, `  ETA 00:11`


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
                ncols=_columns(),
                bar_format=f"  {column:<9} {{n_fmt}}/{{total_fmt}}",
            )

    def advance(self, note: str = "") -> None:
        """One more sample."""
        self._done += 1
        if self._bar is not None:
            self._bar.bar_format = self._layout(note, is_moving=True)
            self._bar.update(1)
        else:
            self._plain_line_in_time(note)

    def note(self, note: str) -> None:
        """What is shown beside the bar changes, though no sample has ended."""
        if self._bar is not None:
            self._bar.bar_format = self._layout(note)
            self._bar.refresh()
        else:
            self._plain_line_in_time(note)

    def end(self, note: str = "") -> None:
        """The column is complete."""
        if self._bar is not None and self._is_too_long(note):
            self._bar.leave = False  # a line that the terminal breaks, rather than one that is cut
            self.close()
            self._plain_line(note)
        elif self._bar is not None:
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

    def _layout(self, note: str, *, is_moving: bool = False) -> str:
        """The line for the terminal as wide as it is now: what gives way first is the bar, then the times, then spaces.

        The bar's own ETA, by samples, stands only where the note has none by tokens.
        """
        assert self._bar is not None, "a layout is of a bar"
        self._bar.ncols = wide = _columns()
        said = for_terminal(note)
        spare = wide - len(f"  {self._column:<9} {self._total}/{self._total}  ") - len(said)
        text = said.replace("{", "{{").replace("}", "}}")
        if spare < 0:
            return f"{self._column} {{n_fmt}}/{{total_fmt}} {text.replace('  ', ' ')}"
        if is_moving and "ETA" not in said and self._done < self._total and spare >= 2 * _TIME_COLUMNS:
            text, spare = f"{text}  ETA {{remaining}}", spare - _TIME_COLUMNS
        if spare >= _TIME_COLUMNS:
            text, spare = f"{text}  {{elapsed}}", spare - _TIME_COLUMNS
        room = min(spare - max(0, _NOTE_COLUMNS - len(said)), _BAR_COLUMNS)
        return f"  {{desc}} {f'{{bar:{room}}} ' if room >= 4 else ''}{{n_fmt}}/{{total_fmt}}  {text}"

    def _is_too_long(self, note: str) -> bool:
        """Whether the line cannot be shown whole, however it is laid out."""
        squeezed = for_terminal(note).replace("  ", " ")
        return len(f"{self._column} {self._done}/{self._total} {squeezed}") > _columns()

    def _plain_line_in_time(self, note: str) -> None:
        if time.monotonic() - self._last_line_s >= PLAIN_LINE_EVERY_S:
            self._plain_line(note)

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
