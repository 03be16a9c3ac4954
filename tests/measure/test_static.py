"""Facts read off a program's text."""

from __future__ import annotations

import ast
import sys

import pytest

from cpu_codegen.measure import static_facts
from cpu_codegen.measure.static import Reader
from cpu_codegen.measure.static_facts import facts_of, loop_depth, reference_alone, unused_imports

PROGRAM = """
import os, sys
import pandas as pd
from flerovium_tools import magic


def f(values, seen=[]):
    for a in values:
        for b in [c for c in values]:
            if a == b:
                eval("1")
    try:
        return os.system("true")
    except:
        return f(values[1:])
"""


PROBLEM_FILE = '''"""Title."""
import math
import random

def helper(x):
    return math.sqrt(x)


def f(x):
    # why
    return helper(x)


def naive(x):
    return 1


def scaled(n):
    return (random.random(),)
'''


def test_facts_of_a_program() -> None:
    """Known packages, invented ones, dangerous calls, unused imports, bare excepts, mutable defaults, recursion, depth."""
    static = facts_of(PROGRAM, "f")["static"]
    assert static["third_party_imports"] == ["pandas"]
    assert static["unknown_imports"] == ["flerovium_tools"]
    assert static["dangerous_calls"] == {"eval": 1, "os.system": 1}
    assert static["unused_imports"] == ["magic", "pd", "sys"]
    assert (static["bare_excepts"], static["mutable_defaults"], static["recursive"]) == (1, 1, True)
    assert static["loop_depth"] == 3


def test_radon_metrics_by_hand() -> None:
    """Two ifs and a loop: complexity 4; six source lines."""
    radon = facts_of(
        "def f(x):\n    for i in x:\n        if i:\n            return 1\n    if x:\n        return 2\n", "f"
    )["radon"]
    assert radon["complexity"] == 4
    assert radon["sloc"] == 6
    assert 0 < radon["maintainability"] <= 100


def test_future_imports_are_used() -> None:
    """`from __future__` and `*` bind no name that could be unused."""
    assert unused_imports(ast.parse("from __future__ import annotations\nfrom math import *\n")) == []


def test_depth_is_not_bounded_by_recursion() -> None:
    """A deeply nested expression does not break the count."""
    assert loop_depth(ast.parse("x = " + "[" * 60 + "]" * 60)) == 0


def test_reference_alone() -> None:
    """Of a problem file only what the reference needs is judged: its helpers and imports, not naive, cases or scaled."""
    source = PROBLEM_FILE
    alone = reference_alone(source, "f")
    assert "# why" in alone
    assert "helper" in alone
    assert "import math" in alone
    assert not any(word in alone for word in ("naive", "scaled", "random", "Title"))


@pytest.mark.parametrize("text", ["def f(:", "(" * 5000 + ")" * 5000, "x = " + "-" * 100_000 + "1"])
def test_a_text_that_breaks_the_parser_is_data(text: str) -> None:
    """It gets a reason instead of figures, and the next text is read as if nothing had been."""
    with Reader() as reader:
        broken = reader.read(text, "f")
        assert broken["radon"] is None
        assert broken["static_error"]
        assert reader.read("def f():\n    return 1\n", "f")["radon"]["complexity"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no rlimits on Windows")
def test_a_system_that_refuses_the_limit_is_read_on_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS refuses RLIMIT_AS, and so does a tighter hard limit of the user's: no reason to read nothing at all."""
    import resource

    asked: list[tuple[int, int]] = []

    def refuse(kind: int, limits: tuple[int, int]) -> None:
        asked.append(limits)
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    static_facts._limit_memory()
    assert asked == [(1 << 30, 1 << 30)]
