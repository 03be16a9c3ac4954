"""Runs the command line as users do, in this process: output, exit code, errors as shown."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from cpu_codegen.cli import main


@dataclass(frozen=True)
class Ran:
    """What one command printed, and its exit code."""

    code: int
    out: str
    err: str


def run_cli(capsys: pytest.CaptureFixture[str], *words: str) -> Ran:
    """`cpu-codegen WORDS`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cpu-codegen", *words])
        patch.setattr("cpu_codegen.cli._utf8_streams", lambda: None)  # capsys owns the streams
        patch.setattr("cpu_codegen.cli._install_signals", lambda: None)
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    shown = capsys.readouterr()
    return Ran(code, shown.out, shown.err)
