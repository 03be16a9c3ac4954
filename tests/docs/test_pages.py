"""The commands that the pages show are run on the demo model, in the order in which a reader types them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPO

PAGES = ("tutorials/laptop.md", "tutorials/edge.md", "tutorials/survey.md", "review.md")
BLOCK = re.compile(r"^```sh(?: (\w+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODEL = re.compile(r"qwen2\.5-coder-[\d.]+b")


def commands(page: str, kind: str = "") -> list[str]:
    """The lines of a page's `sh` blocks of one kind ("" = those that a test can run)."""
    text = (REPO / "docs" / page).read_text(encoding="utf-8")
    return [line for found, body in BLOCK.findall(text) if found == kind for line in body.splitlines() if line]


def typed(line: str) -> list[str]:
    """The command on the demo model and few problems."""
    arguments = shlex.split(MODEL.sub("demo", line))[1:]
    if arguments[0] == "run":
        arguments += ["--limit", "2", "--efficiency-budget", "1s", "--offline"]
    if arguments[0] == "efficiency":
        arguments += ["--budget", "1s"]
    if arguments[0] == "plan":
        arguments = [argument.replace("demo,demo", "qwen2.5-coder-0.5b") for argument in arguments]
    return arguments


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_runs(page: str, tmp_path: Path) -> None:
    """Exit 0 for each, no traceback."""
    if page == "review.md":
        _run(typed("cpu-codegen run -m demo"), tmp_path)
    for file in (REPO / "docs" / page).parent.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    assert commands(page)
    for line in commands(page):
        _run(typed(line), tmp_path)


def _run(arguments: list[str], folder: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "cpu_codegen", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, f"{shlex.join(arguments)}\n{result.stdout[-2000:]}{result.stderr[-2000:]}"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_a_test_cannot_run_are_at_least_known(page: str) -> None:
    """Those that need a network or a person name options that exist."""
    from cpu_codegen.cli.commands import load

    for line in [*commands(page, "network"), *commands(page, "interactive")]:
        name, *arguments = shlex.split(line)[1:]
        known = {option for parameter in load(name).params for option in [*parameter.opts, *parameter.secondary_opts]}
        assert {part for part in arguments if part.startswith("-")} <= known


def test_links_between_pages_lead_somewhere() -> None:
    """No relative link of docs/ is dead."""
    for path in (REPO / "docs").rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_survey_as_a_config_file_names_models_that_the_registry_has() -> None:
    """Every field is one of `run`'s, every model is known, and the protocol is the survey's: both styles, three levels."""
    from cpu_codegen.cli.commands import load
    from cpu_codegen.config_file import read_config
    from cpu_codegen.registry import resolve

    known = [str(parameter.name) for parameter in load("run").params]
    found = {name: entry.value for name, entry in read_config(REPO / "docs/tutorials/survey.yaml", known).items()}
    assert [resolve(str(name), offline=True).alias for name in found["model"]]
    assert found["style"] == ["plain", "cot"]
    assert found["suites"] == ["lowcost60"]
