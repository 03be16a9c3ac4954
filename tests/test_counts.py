"""Counts in words."""

from __future__ import annotations

import pytest

from cpu_codegen.counts import count_of


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("answer",), "0 answers"),
        (1, ("answer",), "1 answer"),
        (2, ("answer",), "2 answers"),
        (1, ("answer was", "answers were"), "1 answer was"),
        (3, ("answer was", "answers were"), "3 answers were"),
    ],
)
def test_one_is_singular_and_none_is_plural(count: int, words: tuple[str, ...], said: str) -> None:
    """Verbs go along where they are given."""
    assert count_of(count, *words) == said
