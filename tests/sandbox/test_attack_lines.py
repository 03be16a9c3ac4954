"""`doctor --attack FILE`: what a line may be, and how a wrong one is told. Nothing runs here."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.sandbox.attacks import DEFAULT_TEST, read_attacks

GOOD = '{"id": "a", "src": "def f(x): return x + 1"}\n'


def test_fields_that_are_left_out_or_null_have_their_defaults(tmp_path: Path) -> None:
    """Claim: id and a program are all that a line needs; an expression stays an expression, which only the sandbox evaluates."""
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD + '{"id": "b", "src_expr": "1/0", "arch": null, "test": null, "want": "fail"}\n')
    first, second = read_attacks(path)
    assert (first.test, first.arch, first.want) == (DEFAULT_TEST, "", ())
    assert (second.test, second.arch, second.want) == (DEFAULT_TEST, "", ("fail",))
    assert "eval('1/0')" in second.src


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": "b"}', "no id, or no src"),
        ('{"src": "x"}', "no id, or no src"),
        ('{"id": 3, "src": "x"}', '"id" is no text'),
        ('{"id": "b", "src": "x", "test": []}', '"test" is no text'),
        ('{"id": "b", "src": "x", "want": 3}', '"want" is no list'),
        ("[]", "no JSON object"),
        ('{"id": "b", "sr', "ends in the middle"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    """Claim: file, line and what belongs there; the good lines before it are not run."""
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD + line)
    with pytest.raises(UsageError, match=r"a\.jsonl:2: ") as caught:
        read_attacks(path)
    assert says in str(caught.value)
    assert caught.value.remedy


def test_a_file_without_programs_is_an_error(tmp_path: Path) -> None:
    """Claim: nothing attacked is no success."""
    (tmp_path / "a.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="no programs"):
        read_attacks(tmp_path / "a.jsonl")
