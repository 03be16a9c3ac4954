"""Grading at the prompt, on a real terminal."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.report.support import write_run

pytest.importorskip("pty")
ANSWER_WITHIN_S = 60.0


class Typist:
    """A person at a terminal: waits for words, then types."""

    def __init__(self, *arguments: str) -> None:
        self.ours, theirs = os.openpty()
        command = [sys.executable, "-m", "cpu_codegen", *arguments]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.seen = ""

    def wait_for(self, words: str) -> str:
        """All that was shown up to these words, which are then behind us."""
        ends = time.monotonic() + ANSWER_WITHIN_S
        while words not in self.seen:
            ready, _, _ = select.select([self.ours], [], [], max(0.0, ends - time.monotonic()))
            assert ready, f"no {words!r} in {self.seen!r}"
            self.seen += os.read(self.ours, 1 << 16).decode("utf-8", "replace")
        before, _, self.seen = self.seen.partition(words)
        return before

    def type(self, text: str) -> None:
        """As if typed."""
        os.write(self.ours, text.encode())

    def end(self) -> int:
        """The exit code."""
        code = self.process.wait(ANSWER_WITHIN_S)
        os.close(self.ours)
        return code


def grades(run: Path) -> list[dict[str, object]]:
    """The lines of reviews.jsonl."""
    path = run / "reviews.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def test_a_session_at_the_prompt(tmp_path: Path) -> None:
    """Blind: the outcome comes after the points. A wrong point is asked again, s skips, q ends, and what was given is stored."""
    run = write_run(tmp_path / "run", limit=4, styles=("plain",), share=0.5)
    typist = Typist("review", str(run), "--reviewer", "ann", "--blind")
    shown = typist.wait_for("s skips, q ends] ")
    assert "(4 left)" in shown
    assert "── answer ──" in shown
    assert "── tests:" not in shown
    typist.type("7\n")
    typist.wait_for("one of 0, 0.5, 1, s, q")
    typist.wait_for("s skips, q ends] ")
    typist.type("0.5\n")
    typist.wait_for("s skips, q ends] ")
    typist.type("1\n")
    typist.wait_for("note (may be empty): ")
    typist.type("off by one\n")
    typist.wait_for("── tests:")
    typist.wait_for("(3 left)")
    typist.wait_for("s skips, q ends] ")
    typist.type("s\n")
    typist.wait_for("(2 left)")
    typist.wait_for("s skips, q ends] ")
    typist.type("q\n")
    typist.wait_for("3 of 4 answers left")
    assert typist.end() == 0
    (grade,) = grades(run)
    assert (grade["reviewer"], grade["points"], grade["note"]) == ("ann", {"correct": 0.5, "format": 1.0}, "off by one")


def test_going_back_corrects_the_answer_before(tmp_path: Path) -> None:
    """The later points of one reviewer win, and the session goes on behind it."""
    run = write_run(tmp_path / "run", limit=2, styles=("plain",))
    typist = Typist("review", str(run))
    for said in ("1", "1", ""):
        typist.wait_for("q ends] " if said else "note (may be empty): ")
        typist.type(f"{said}\n")
    typist.wait_for("(1 left)")
    typist.wait_for("b goes back, q ends] ")
    typist.type("b\n")
    typist.wait_for("(2 left)")
    for said in ("0", "0", "a slip"):
        typist.wait_for("note (may be empty): " if said == "a slip" else "q ends] ")
        typist.type(f"{said}\n")
    typist.wait_for("(1 left)")
    typist.type("q\n")
    typist.wait_for("1 of 2 answers left; the same command goes on")
    assert typist.end() == 0
    first, second = grades(run)
    assert first["generation"] == second["generation"]
    assert (second["points"], second["note"]) == ({"correct": 0.0, "format": 0.0}, "a slip")


@pytest.mark.parametrize(("keys", "code"), [("\x04", 0), ("\x03", 130)])
def test_leaving_by_keys(tmp_path: Path, keys: str, code: int) -> None:
    """Ctrl-D is the end, Ctrl-C an interruption; neither shows a traceback nor stores half a grade."""
    run = write_run(tmp_path / "run", limit=2, styles=("plain",))
    typist = Typist("review", str(run))
    typist.wait_for("q ends] ")
    if keys == "\x03":
        os.killpg(typist.process.pid, 2)
    else:
        typist.type(keys)
    assert typist.process.wait(ANSWER_WITHIN_S) == code
    assert "Traceback" not in typist.seen
    assert grades(run) == []
    os.close(typist.ours)
