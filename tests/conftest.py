"""Where the shared material lies, and a loud last line when tests were skipped for want of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


def shared_dir() -> Path:
    """$CPU_CODEGEN_SHARED, else ../shared beside the repo."""
    return Path(os.environ.get("CPU_CODEGEN_SHARED") or REPO.parent / "shared")


def pytest_configure() -> None:
    """A shell that starts us with `&` has us ignore SIGINT, and our children with us; the tests of Ctrl-C would find them deaf."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared material. Absent: skip; in CI: fail, because then nothing was proved."""
    folder = shared_dir()
    if not folder.is_dir():
        message = f"{folder} is absent (CPU_CODEGEN_SHARED names it)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the user's caches and settings."""
    home = tmp_path_factory.getbasetemp() / "xdg"
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were skipped, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        reasons = sorted({str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)})
        terminalreporter.write_line(f"{len(skipped)} tests were skipped: {'; '.join(reasons)}", yellow=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: of two workers that take file by file, none is left alone with a long one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
