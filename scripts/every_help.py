"""Runs `--help` of every command and subcommand that the installed package has, and prints it. Exit 1 when one fails.

Used by scripts/test-wheel with the newest versions of Typer and Click that pyproject.toml allows: a command line that crashes on a
fresh install is the commonest way in which tools like this one break.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path of command names below a Click command, itself first."""
    yield path
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            yield from commands(command.get_command(None, name), (*path, name))


def help_text(path: tuple[str, ...]) -> str:
    """What `cpu-codegen … --help` prints, in a process of its own."""
    program = Path(sys.executable).with_name("cpu-codegen")
    result = subprocess.run([str(program), *path, "--help"], capture_output=True, text=True, encoding="utf-8")
    if result.returncode != 0 or "Usage:" not in result.stdout:
        raise SystemExit(
            f"cpu-codegen {' '.join(path)} --help: exit {result.returncode}\n{result.stdout}{result.stderr}"
        )
    return result.stdout


def main() -> None:
    """All of them."""
    from typer.main import get_command

    from cpu_codegen.cli import app

    for path in commands(get_command(app)):
        print(f"$ cpu-codegen {' '.join((*path, '--help'))}\n{help_text(path)}")


if __name__ == "__main__":
    main()
