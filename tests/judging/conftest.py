"""One sandbox for all tests of judging, and small EvalPlus tasks of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cpu_codegen.sandbox import Sandbox, open_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Two workers; the first test that needs it waits for it."""
    with open_sandbox(workers=2) as opened:
        yield opened
