"""`-o json` works everywhere (contracts, command line)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.cli.commands import COMMANDS, load
from tests.report.support import write_run


def every_command() -> Iterator[tuple[str, Any]]:
    """Names and commands, subcommands included."""
    for name in COMMANDS:
        command = load(name)
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {word}", found) for word, found in inner.items())


@pytest.mark.parametrize(("name", "command"), [pytest.param(*pair, id=pair[0]) for pair in every_command()])
def test_every_command_takes_it(name: str, command: Any) -> None:
    """-o and the hidden --json are options of every command."""
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"-o", "--output", "--json"} <= options, name


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run under ./runs."""
    monkeypatch.chdir(tmp_path)
    return write_run(tmp_path / "runs" / "20261124T0915-small", limit=4)


@pytest.mark.parametrize(
    "words",
    [
        "report latest",
        "show latest",
        "show latest --failed",
        "compare latest",
        "review latest --summary",
        "runs list",
        "efficiency latest --budget 0",
        "export latest --as artifact --out kept",
        "export latest --as csv --out a.csv",
        "export latest --as leaderboard",
        "models list",
        "models show demo",
        "models path demo",
        "models verify demo",
        "problems list",
        "problems show lamp_relay",
        "runs rm latest --yes",
    ],
)
def test_stdout_is_one_json_value(run: Path, words: str) -> None:
    """And nothing else is on it."""
    done = CliRunner().invoke(app, [*words.split(), "-o", "json"], catch_exceptions=False)
    assert done.exit_code == 0
    assert isinstance(json.loads(done.stdout), list | dict)
