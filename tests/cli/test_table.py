"""The table of commands says what the commands themselves say, and loads none of them for `--help`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cpu_codegen.cli.commands import COMMANDS, load


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_the_beginning_of_the_commands_own_help(name: str) -> None:
    """So the two cannot drift apart."""
    own = " ".join((load(name).help or "").split())
    assert COMMANDS[name].summary
    assert own.startswith(COMMANDS[name].summary)


def test_help_loads_no_command() -> None:
    """`--help` imports the table and Typer, nothing that a command needs."""
    program = (
        "import sys\nfrom cpu_codegen.cli import main\nsys.argv = ['cpu-codegen', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sorted(m for m in sys.modules if m.startswith(('cpu_codegen', 'llama_cpp', 'numpy', 'huggingface_hub', 'psutil'))))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert loaded == {
        "cpu_codegen",
        "cpu_codegen.cli",
        "cpu_codegen.cli.commands",
        "cpu_codegen.cli.usage",
        "cpu_codegen.errors",
    }


def test_usage_is_what_is_typed() -> None:
    """No command's usage line has braces or more dots than three."""
    from tests.cli.test_json import every_command

    for name, command in every_command():
        usage = command.make_context(name, [], resilient_parsing=True).get_usage()
        assert not set("{}") & set(usage), usage
        assert not [odd for odd in ("[[", "]]", "....", "….") if odd in usage], usage
