"""The sandboxed parser: outlines of good text, errors for the rest, and no text that takes it down for good."""

from __future__ import annotations

import pytest

from cpu_codegen.sandbox import Sandbox, open_parser


def test_an_outline_names_what_a_text_defines(box: Sandbox) -> None:
    """Claim: imports, functions and assignments are told with their lines and names."""
    outline = box.parse("import re\n\n@cache\ndef f(x):\n    return g(x)\n\nA = 1\n")
    assert [(item.kind, item.first_line, item.last_line) for item in outline.items] == [
        ("import", 1, 1),
        ("function", 3, 5),
        ("assign", 7, 7),
    ]
    assert outline.items[1].defines == ("f",)
    assert "g" in outline.items[1].uses
    assert outline.items[1].has_return


HOSTILE = {
    "not Python": "def f(:",
    "NUL": "x = 1\0",
    "surrogate": "x = '\ud800'",
    "unary minuses": "x = " + "-" * 200_000 + "1",
    "parentheses": "(" * 100_000,
    "a chain of operators": "x = 1" + "+1" * 200_000,
    "nested blocks": "".join(" " * n + "if 1:\n" for n in range(200)) + " " * 200 + "pass",
    "too long": "#" * (2 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_an_error_and_the_next_text_is_parsed(name: str, box: Sandbox) -> None:
    """Claim: a text may crash or exhaust the parser's process, never ours, and never for the next text."""
    outline = box.parse(HOSTILE[name], timeout_s=5.0)
    assert outline.error or outline.items
    assert box.parse("def f(): pass").items[0].defines == ("f",)


def test_a_text_that_takes_too_long_is_an_error_in_time(box: Sandbox) -> None:
    """Claim: no answer within the limit is an error that says so."""
    outline = box.parse("x = [" + "1, " * 300_000 + "]", timeout_s=0.001)
    assert "within" in outline.error
    assert not box.parse("x = 1").error


def test_a_parser_lives_alone() -> None:
    """Claim: the parser works without the rest of the sandbox, for use beside a loaded model."""
    with open_parser() as parser:
        assert parser.outline("def f(): pass", 5.0).items[0].kind == "function"
