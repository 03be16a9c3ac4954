"""Lines that no test executes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cpu_codegen.measure.unreached import Unreached, unreached
from cpu_codegen.sandbox import Sandbox, Session, open_sandbox
from cpu_codegen.schema import Limits

PROGRAM = '''import math


def helper(x):
    return math.sqrt(x)


def f(x):
    """Docstrings are no code."""
    if x < 0:
        return -1
    for step in range(3):
        if step == 7:
            break
    else:
        x += 1
    return [
        x
        for _ in range(2)
    ]


if __name__ == "__main__":
    print(f(1))
'''


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests of this file."""
    with open_sandbox(workers=1) as opened:
        yield opened


def look(sandbox: Sandbox, code: str, *tests: list[int]) -> Unreached | None:
    """The lines of `f` that these argument lists leave out."""

    def open_text(text: str) -> Session:
        return sandbox.session(text, "f", limits=Limits())

    return unreached(open_text, code, "f", list(tests))


def test_lines_of_branches_and_helpers(sandbox: Sandbox) -> None:
    """A helper that is never called, a branch, an unreachable break; one more test takes its branch off the list."""
    assert look(sandbox, PROGRAM, [1]) == Unreached((5, 11, 14), 1)
    assert look(sandbox, PROGRAM, [1], [-1]) == Unreached((5, 14), 2)


def test_all_lines_reached_ends_early(sandbox: Sandbox) -> None:
    """Nothing left after the first batch: the other tests are not run."""
    found = look(sandbox, "def f(x):\n    return x\n", *([n] for n in range(120)))
    assert found == Unreached((), 50)


def test_generators_are_drained(sandbox: Sandbox) -> None:
    """The body of a generator runs when its values are asked for."""
    assert look(sandbox, "def f(x):\n    yield x\n    if x:\n        yield 2\n", [0]) == Unreached((4,), 1)


@pytest.mark.parametrize(
    "code", ["def f(:", "def f(x):\n    raise ValueError\n", "import nothing_of_that_name\n", "f = 3\n"]
)
def test_what_cannot_be_traced_has_no_figure(sandbox: Sandbox, code: str) -> None:
    """A program that does not load, or fails, gives None: not an empty list."""
    assert look(sandbox, code, [1]) is None


def test_a_forged_reply_is_no_figure(sandbox: Sandbox) -> None:
    """The tracer's reply comes from the program's process: anything but line numbers gives None."""
    forged = (
        "import sys\ndef f(x):\n    left = sys._getframe(3).f_locals['left']\n    left.clear()\n    left.add('x')\n"
    )
    assert look(sandbox, forged, [1]) is None
