from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import AssertTask, Execution, Job, Limits

if not sys.platform.startswith("linux"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """The strongest sandbox that this machine offers."""
    with open_sandbox() as sandbox:
        yield sandbox


def judged(sandbox: Sandbox, code: str, test: str = "assert f(2) == 3", limits: Limits | None = None) -> Execution:
    """One program's execution against asserts."""
    (execution,) = sandbox.judge([Job("job", code, "f", AssertTask(test), limits or Limits(wall_s=20, call_s=20))])
    return execution
