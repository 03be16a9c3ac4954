"""Writes docs/commands.md from the help texts; a test fails when the page and the help differ.

.venv/bin/python scripts/commands_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = "# Commands\n\nWhat `--help` says. This page is made by `scripts/commands_page.py`; do not edit it.\n"


def paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names of every command that is not hidden, the whole first."""
    yield path
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            below = command.get_command(None, name)
            if not below.hidden:
                yield from paths(below, (*path, name))


def page() -> str:
    """The page's text, with lines of at most 100 columns on every machine."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from cpu_codegen.cli import app

    parts = [HEAD]
    runner = CliRunner(env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"})
    for path in paths(get_command(app)):
        shown = runner.invoke(app, [*path, "--help"], prog_name="cpu-codegen").stdout
        text = "\n".join(line.rstrip() for line in shown.strip().splitlines())
        parts.append(f"## {' '.join(('cpu-codegen', *path))}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(PAGE)
