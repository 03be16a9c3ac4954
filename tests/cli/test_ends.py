"""How a command ends that did not come to its own end: signals, a reader that went away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no POSIX signals on Windows")

STRUCK = """
import os, sys, time
from cpu_codegen import cli, packaged
number = int(sys.argv[1])
def struck():
    os.kill(os.getpid(), number)
    time.sleep(30)
packaged.problems_dir = struck  # before anybody imports it by name
sys.argv = ["cpu-codegen", "problems", "list"]
cli.main()
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda value: str(value),
)
def test_a_signal_ends_a_command_in_order(number: signal.Signals, code: int) -> None:
    """128 and the signal's number, with what to type next and without a traceback."""
    ended = subprocess.run([sys.executable, "-c", STRUCK, str(int(number))], capture_output=True, text=True, timeout=60)
    assert ended.returncode == code, ended.stderr
    assert ended.stderr.startswith("error: ")
    assert "try:   the same command" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [("problems", "list"), ("runs", "list")])
def test_a_reader_that_went_away_is_no_error(words: tuple[str, ...], tmp_path: Path) -> None:
    """`cpu-codegen problems list | head -0`: quiet, exit 0; also where the text is so short that it is written at the very end."""
    command = [sys.executable, "-m", "cpu_codegen", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [("problems", "show", "ferry_peak"), ("problems", "list", "-o", "json")])
def test_a_full_disk_behind_stdout_is_an_error_with_a_remedy(words: tuple[str, ...], tmp_path: Path) -> None:
    """Exit 3, not 0 and not a traceback, whether the text fits the buffer or not."""
    command = [sys.executable, "-m", "cpu_codegen", *words]
    with open("/dev/full", "w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60)
    assert ended.returncode == 3
    assert ended.stderr.startswith("error: cannot write the output: ")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_a_closed_stdout_hides_no_failure(tmp_path: Path) -> None:
    """An error's exit code stands although nobody reads what was printed before it."""
    script = (
        "import sys; from cpu_codegen import cli; sys.argv[1:] = ['runs', 'rm', 'none', '--yes']; "
        "parsed = cli._parsed; cli._parsed = lambda words: (print('x'), parsed(words)); cli.main()"
    )
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script], text=True, cwd=tmp_path, env=buffered, **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 2
    assert said.startswith("error: none is no run folder")
    assert "Exception ignored" not in said
