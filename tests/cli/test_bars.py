"""Progress on a terminal of any width, and where stderr is a file."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from cpu_codegen.cli import bars as module
from cpu_codegen.cli.bars import Bars
from cpu_codegen.columns.execute import tally_note
from cpu_codegen.schema import Outcome

NOTE = "640 tok/s  61 MB  ETA 0:11"


class Terminal(io.TextIOWrapper):
    """Takes all that is written, at once: a real one loses what nobody reads in time."""

    def __init__(self) -> None:
        self.sent = io.BytesIO()
        super().__init__(self.sent, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        """So it says."""
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, act: Callable[[Bars], None]) -> list[str]:
    """What a terminal so wide is sent, line by line."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(module, "_columns", lambda: columns)
    act(Bars())
    sent = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", terminal.sent.getvalue().decode())
    return [line for line in re.split(r"[\r\n]+", sent) if line.strip()]


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


def test_the_bar_tells_while_no_sample_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note alone is drawn at once, and counts as no sample."""

    def act(bars: Bars) -> None:
        bars.begin("generate", 60)
        bars.note("4.8 tok/s  5,400 MB")
        bars.note("4.9 tok/s  5,400 MB")
        bars.close()

    lines = on_a_terminal(monkeypatch, 80, act)
    for told in ("4.8 tok/s", "4.9 tok/s"):
        assert any("0/60" in line and told in line for line in lines)


def test_a_bar_follows_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that is made narrower in the middle gets lines that fit."""

    def act(bars: Bars) -> None:
        bars.begin("generate", 60)
        bars.note(NOTE)
        monkeypatch.setattr(module, "_columns", lambda: 50)
        bars.note(NOTE + ".")
        bars.close()

    lines = on_a_terminal(monkeypatch, 120, act)
    assert max(map(len, lines)) > 50
    assert max(len(line.rstrip()) for line in lines if NOTE + "." in line) <= 50


def test_a_long_ending_is_broken_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What held generated code in is said to its last word at 80 columns."""
    note = "102 passed  15 syntax   isolation: landlock + namespaces + seccomp + uid drop + no capabilities (tier A)"
    lines = on_a_terminal(monkeypatch, 80, lambda bars: generate(bars, note))
    assert lines[-1] == f"  generate  13/60  {note}"


def test_what_has_no_eta_by_tokens_gets_one_by_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executing and measuring too say how long they will take, until they end."""

    def act(bars: Bars) -> None:
        bars.begin("execute", 3)
        bars.advance("1 passed")
        assert bars._bar is not None
        assert "ETA {remaining}" in str(bars._bar.bar_format)
        bars.end("1 passed")

    assert "ETA" not in on_a_terminal(monkeypatch, 80, act)[-1]


def test_a_hostile_note_is_shown_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Braces are no format, escapes are made visible."""
    sent = " ".join(on_a_terminal(monkeypatch, 100, lambda bars: generate(bars, "{n} \x1b[2J {bar}")))
    assert "{n} \\u{1b}[2J {bar}" in sent


def test_a_file_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """One line at the end of a column, without control characters."""
    generate(Bars())
    assert capsys.readouterr().err == f"  generate  13/60  {NOTE}\n"


def test_a_file_is_told_inside_a_long_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each half minute, though no sample ends; not one for each note."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    bars = Bars()
    bars.begin("generate", 60)
    for second in range(0, 65, 5):
        now[0] = float(second)
        bars.note(f"4.8 tok/s after {second}")
    assert capsys.readouterr().err.split("\n")[:-1] == [
        f"  generate  0/60  4.8 tok/s after {second}" for second in (30, 60)
    ]


def test_passes_come_first() -> None:
    """On the bar of the execution, whatever is commonest."""
    tally = Counter({Outcome.WRONG.value: 3, Outcome.PASSED.value: 1, Outcome.ERROR.value: 2})
    assert tally_note(tally) == "1 passed  3 wrong  2 error"
