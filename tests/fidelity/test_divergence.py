"""The numbers: against direct formulas in double precision, and what 16 bits lose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cpu_codegen.fidelity.divergence import NotNumbers, divergence, likelihood, log_softmax, pack, unpack
from cpu_codegen.fidelity.kept import base_bytes

VOCABULARY = 5000


def logits(rows: int, *, seed: int, spread: float = 4.0) -> Any:
    """Rows as models give them: a few likely tokens, a long tail."""
    draw = np.random.default_rng(seed)
    return (draw.gumbel(size=(rows, VOCABULARY)) * spread).astype(np.float32)


def exact_kl(base: Any, other: Any) -> Any:
    """Σ p (ln p − ln q), in double precision."""
    logs = []
    for rows in (base.astype(np.float64), other.astype(np.float64)):
        shifted = rows - rows.max(axis=1, keepdims=True)
        logs.append(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
    return (np.exp(logs[0]) * (logs[0] - logs[1])).sum(axis=1)


def test_probabilities_add_up_to_one() -> None:
    """Of every row, also where logits are large."""
    rows = log_softmax(logits(5, seed=1) + np.float32(300))
    assert np.exp(rows.astype(np.float64)).sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


@pytest.mark.parametrize("spread", [0.1, 1.0, 4.0, 12.0])
def test_sixteen_bits_keep_a_divergence(spread: float) -> None:
    """A mean KL from packed values is within a thousandth or 1e-5 nats of the exact one, for flat and for sharp models."""
    base = logits(64, seed=2, spread=spread)
    other = base + logits(64, seed=3, spread=0.02 * spread)
    theirs = unpack(pack(log_softmax(base)), VOCABULARY)
    found, exact = divergence(theirs, log_softmax(other)).mean(), exact_kl(base, other).mean()
    assert abs(found - exact) <= max(1e-5, 1e-3 * exact)


def test_a_file_is_no_distance_from_itself() -> None:
    """Rounding alone costs less than 1e-6 nats, and never goes below 0."""
    rows = log_softmax(logits(64, seed=4))
    found = divergence(unpack(pack(rows), VOCABULARY), rows)
    assert found.min() >= 0
    assert found.mean() < 1e-6


def test_packing_takes_two_bytes_a_value_and_keeps_the_order_at_the_top() -> None:
    """The size is what the disk is checked for."""
    rows = log_softmax(logits(16, seed=5))
    packed = pack(rows)
    assert len(packed) == base_bytes(16, VOCABULARY)
    assert (unpack(packed, VOCABULARY).argmax(axis=1) == rows.argmax(axis=1)).all()


def test_masked_tokens_are_no_infinite_divergence() -> None:
    """A logit of minus infinity, which padded vocabularies have, counts as (almost) never."""
    rows = logits(3, seed=6)
    rows[:, 7] = -np.inf
    logs = log_softmax(rows)
    found = divergence(unpack(pack(logs), VOCABULARY), logs)
    assert np.isfinite(found).all()
    assert found.max() < 1e-6


def test_logits_that_are_not_numbers_are_refused() -> None:
    """A broken file must not look like a bad one."""
    rows = logits(2, seed=7)
    rows[1, 3] = np.nan
    with pytest.raises(NotNumbers):
        log_softmax(rows)


def test_the_figures_of_some_tokens() -> None:
    """Surprise at the right tokens, one divergence each, tops counted; whatever the block size."""
    base, other = logits(9, seed=8), logits(9, seed=9)
    other[:4] = base[:4]
    right = np.arange(9, dtype=np.int32)
    mine, packed = likelihood(base, right, None)
    found, nothing = likelihood(other, right, packed)
    logs = log_softmax(other)
    assert found.nll_nats == pytest.approx(-sum(float(logs[i, i]) for i in range(9)), rel=1e-6)
    assert found.kl_nats == pytest.approx(exact_kl(base, other).tolist(), abs=2e-4, rel=1e-3)
    assert found.same_top == 4 + int((base[4:].argmax(axis=1) == other[4:].argmax(axis=1)).sum())
    assert nothing == b""
    assert mine.kl_nats == ()
    assert math.isfinite(mine.nll_nats)
