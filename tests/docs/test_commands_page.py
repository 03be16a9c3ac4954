"""The reference of commands is what the commands say themselves."""

from __future__ import annotations

import importlib.util

from tests.conftest import REPO


def test_the_page_of_commands_is_up_to_date() -> None:
    """docs/commands.md is what scripts/commands_page.py would write now."""
    script = REPO / "scripts" / "commands_page.py"
    spec = importlib.util.spec_from_file_location("commands_page", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == module.PAGE.read_text(encoding="utf-8"), f"run .venv/bin/python {script.name}"
