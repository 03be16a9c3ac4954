"""What counts as going round in circles: ≥ 256 tokens that are ≥ 8 repeats of one cycle of ≤ 64 tokens."""

from __future__ import annotations

import random

import pytest

from cpu_codegen.engine.loops import goes_round


@pytest.mark.parametrize("period", [1, 2, 3, 7, 32, 33, 50, 64])
def test_a_cycle_is_a_loop_from_its_eighth_repeat_and_256_tokens_on(period: int) -> None:
    """Not one token sooner: with a change just before, the same tail is none."""
    cycle = [*range(period)]
    need = max(256, 8 * period)
    tail = (cycle * (need // period + 1))[-need:]
    assert goes_round([*range(1000, 1100), *tail])
    assert not goes_round([*range(1000, 1100), 5000, *tail[1:]])


def test_a_cycle_longer_than_64_tokens_is_none() -> None:
    """However often it comes back."""
    assert not goes_round([*range(65)] * 40)


def test_a_cycle_in_which_tokens_repeat_is_found() -> None:
    """Where every token of the cycle stands in it twice, too."""
    assert goes_round([1, 1, 2, 2] * 64)
    assert goes_round([9, 4, 9, 4, 4] * 52)


def test_regular_texts_that_still_change_are_none() -> None:
    """Counting, tables with a running number, and a cycle with one slip."""
    assert not goes_round([*range(600)])
    assert not goes_round([token for i in range(150) for token in (7, 8, i, 9)])
    slip = [1, 2, 3, 4] * 80
    slip[-100] = 7
    assert not goes_round(slip)


def test_random_tokens_are_none() -> None:
    """Also of a vocabulary of three."""
    draw = random.Random(5)
    assert not any(goes_round([draw.randrange(3) for _ in range(700)]) for _ in range(50))
