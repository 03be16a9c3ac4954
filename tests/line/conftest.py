"""Runs the installed command as a user would, in processes of its own, with caches that all tests of this folder share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.line.support import COMMAND

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def line_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches, settings and data of these tests."""
    return tmp_path_factory.mktemp("home")


def environment(home: Path) -> dict[str, str]:
    """What the command sees: own caches, no network."""
    names = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME")
    return {**os.environ, **{name: str(home / name) for name in names}, "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}


def typed(
    *arguments: str, home: Path, cwd: Path, timeout_s: float = 300, **options: Any
) -> subprocess.CompletedProcess[str]:
    """The command as a user types it in a folder, ended."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env={**environment(home), **options.pop("env", {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        **options,
    )


@pytest.fixture
def line_env(line_home: Path) -> dict[str, str]:
    """The environment of the command, for tests that start it themselves."""
    return environment(line_home)


@pytest.fixture
def cpu_codegen(line_home: Path, tmp_path: Path) -> Run:
    """`cpu_codegen("run", …)` → the finished process; its folder is the test's own."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return typed(*arguments, home=line_home, cwd=options.pop("cwd", tmp_path), **options)

    return run
