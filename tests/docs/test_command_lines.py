"""Every command line that a page prints is one that the program takes: names, options, values, units.

Those that need no model are run, on a stand-in run; test_pages.py runs the others of the tutorials on the demo model.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import run_cli
from tests.conftest import REPO
from tests.report.support import write_run

PAGES = sorted(
    path
    for path in (REPO / "README.md", REPO / "CONTRIBUTING.md", *(REPO / "docs").rglob("*.md"))
    if path.name != "commands.md"  # made from the help itself
)
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
TYPED = re.compile(r"(?:\$ )?cpu-codegen (.+?)(?: {3,}.*| +#.*| && .*| > .*)?")


def whole_lines(text: str) -> Iterator[str]:
    """What follows `cpu-codegen` in fenced blocks, without the remark behind it."""
    for block in FENCED.findall(text):
        for line in block.splitlines():
            if match := TYPED.fullmatch(line.strip()):
                yield match[1]


def fragments(text: str) -> Iterator[str]:
    """Commands in running text: `cpu-codegen bench -m MODEL`, `report -o json`, `show RUN --finding NAME`."""
    from cpu_codegen.cli.commands import COMMANDS

    for code in INLINE.findall(FENCED.sub("", text)):
        line = code.removeprefix("cpu-codegen ")
        if line.split()[0] in COMMANDS and ("-" in line or line != code):
            yield line


def words(line: str) -> list[str]:
    """`[-p 128,512] [-o md|csv] …` → -p 128,512 -o md."""
    parts = shlex.split(re.sub(r"\[(-.*?)\](?= |$)", r"\1", line))
    return [re.split(r"\|(?=\w)", part)[0] for part in parts if part not in ("…", "FILE…")]


def command_of(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that is meant, and the words behind its name."""
    from typer.main import get_command

    from cpu_codegen.cli import app

    command: Any = get_command(app)
    while hasattr(command, "get_command") and arguments and not arguments[0].startswith("-"):
        found = command.get_command(None, arguments[0])
        assert found is not None, f"there is no command {arguments[0]!r}"
        command, arguments = found, arguments[1:]
    return command, arguments


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPO)))
def test_every_printed_command_line_is_taken(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block's lines are parsed as if they were typed; of commands in running text all options exist."""
    monkeypatch.chdir(REPO / "docs" / "tutorials")  # survey.yaml is read where `--config` names it
    text = page.read_text(encoding="utf-8")
    for line in whole_lines(text):
        command, arguments = command_of(words(line))
        command.make_context(line, arguments)
    for line in fragments(text):
        command, arguments = command_of(words(line))
        known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
        asked = {word.split("=")[0] for word in arguments if re.fullmatch(r"--?[a-z][\w-]*(=.*)?", word)}
        assert asked <= known | {"-h", "--help"}, line


def test_the_pages_print_commands() -> None:
    """Guards the patterns above: they find what a reader would type."""
    lines = [line for page in PAGES for line in whole_lines(page.read_text(encoding="utf-8"))]
    assert "show latest --failed" in lines
    assert "plan -m qwen3-0.6b" in lines
    assert any(line.startswith("run --config survey.yaml") for line in lines)
    assert len(lines) > 40
    found = [line for page in PAGES for line in fragments(page.read_text(encoding="utf-8"))]
    assert "bench -m MODEL -p 512 -g 64" in found
    assert len(found) > 25


WITHOUT_MODEL = re.compile(
    r"(report|show|compare|export|score latest|models list|problems (new|validate)|runs)\b(?!.*(runs/|--figures|humaneval|mbpp))"
)
ENDS = {
    "--require": (0, 7),
    "problems validate": (2,),
}  # a requirement that fails; a file whose blanks are not filled in yet


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a reader types: two runs under ./runs, which differ in how they reason."""

    def reasons(manifest: dict[str, Any]) -> None:
        manifest["settings"]["think"] = "on"

    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "RUN_OFF", limit=3, styles=("plain",))
    write_run(tmp_path / "RUN_ON", limit=3, styles=("plain",), seed=1, change_manifest=reasons)
    write_run(tmp_path / "runs" / "20261124T091500-small", limit=6, share=0.5)


@pytest.mark.usefixtures("stand_in")
def test_what_needs_no_model_does_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Every such line of every page ends as it should, in the order of the pages."""
    lines = dict.fromkeys(line for page in PAGES for line in whole_lines(page.read_text(encoding="utf-8")))
    typed = [line for line in lines if WITHOUT_MODEL.match(line)]
    assert {"report latest -o html", "show latest --failed", "compare RUN_OFF RUN_ON", "models list coder"} <= set(
        typed
    )
    for line in typed:
        ran = run_cli(capsys, *words(line))
        allowed = next((codes for part, codes in ENDS.items() if part in line), (0,))
        assert ran.code in allowed, f"{line}: {ran.err}"
        assert ran.out or ran.code == 2, line
