"""Progress on a terminal of any width, and where stderr is a file."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from cpu_codegen.cli.bars import Bars
from cpu_codegen.columns.execute import tally_note
from cpu_codegen.schema import Outcome

NOTE = "640 tok/s  61 MB  ETA 0:11"


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, act: Callable[[Bars], None]) -> list[str]:
    """What a terminal so wide is sent, line by line."""
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        act(Bars())
    sent = b""
    with contextlib.suppress(OSError):  # the other end is closed and everything was read
        while part := os.read(ours, 1 << 16):
            sent += part
    os.close(ours)
    return [line for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", sent.decode())) if line.strip()]


def generate(bars: Bars, note: str = NOTE) -> None:
    """A column of two samples."""
    bars.begin("generate", 60, 12)
    bars.advance(note)
    bars.end(note)


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_the_note_is_whole_on_every_width(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Rate, memory and ETA are there at 40 columns too; the bar gives way first, and no line is wider than the terminal."""
    lines = on_a_terminal(monkeypatch, columns, generate)
    assert any("13/60" in line and "640 tok/s" in line and "ETA 0:11" in line for line in lines)
    assert max(map(len, lines)) <= columns
    assert any("█" in line for line in lines) == (columns >= 80)


def test_a_hostile_note_is_shown_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Braces are no format, escapes are made visible."""
    sent = " ".join(on_a_terminal(monkeypatch, 100, lambda bars: generate(bars, "{n} \x1b[2J {bar}")))
    assert "{n} \\u{1b}[2J {bar}" in sent


def test_a_file_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """One line at the end of a column, without control characters."""
    generate(Bars())
    assert capsys.readouterr().err == f"  generate  13/60  {NOTE}\n"


def test_passes_come_first() -> None:
    """On the bar of the execution, whatever is commonest."""
    tally = Counter({Outcome.WRONG.value: 3, Outcome.PASSED.value: 1, Outcome.ERROR.value: 2})
    assert tally_note(tally) == "1 passed  3 wrong  2 error"
