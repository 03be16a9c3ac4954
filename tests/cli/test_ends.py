"""How a command ends that did not come to its own end: signals, a reader that went away."""

from __future__ import annotations

import signal
import subprocess
import sys

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


def test_a_reader_that_went_away_is_no_error() -> None:
    """`cpu-codegen problems list | head -0`: quiet, exit 0."""
    command = [sys.executable, "-m", "cpu_codegen", "problems", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, "")
