"""Logits → surprise, divergence from the base, same top token; and the base's log-probabilities as 16-bit values.

Packing: the depth of a token below the likeliest one, at most SPAN_NATS, is kept as round(65535·sqrt(depth / SPAN_NATS)): likely
tokens, which carry the sum, to 1e-5 nats, unlikely ones to 1e-3. Tokens deeper than SPAN_NATS hold less than 1e-9 of the
probability together and are kept at that depth. What is read back is normalized anew, so that no divergence is below 0. Rows are
tokens, columns the whole vocabulary. Not covered: where logits come from (engine/likelihood.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cpu_codegen.fidelity.kept import BYTES_PER_VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

SPAN_NATS = 32.0
_LEVELS = 65535
_LEAST = -1e4  # stands in for the logarithm of 0, which masked tokens have
_BLOCK_VALUES = 1 << 20


class NotNumbers(ValueError):
    """Logits that are NaN: a broken file or kernel."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of some tokens: nats of surprise at the right ones, together; divergence at each in nats, and how often the tops agree."""

    nll_nats: float
    kl_nats: tuple[float, ...] = ()
    same_top: int = 0


def log_softmax(logits: Rows) -> Rows:
    """Logarithms of probabilities, row by row."""
    top = logits.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        raise NotNumbers("the model's logits are not numbers")
    shifted = logits - top
    total = np.exp(shifted).sum(axis=1, keepdims=True, dtype=np.float64)
    found: Rows = np.maximum(shifted - np.log(total), _LEAST).astype(np.float32)
    return found


def pack(log_probabilities: Rows) -> bytes:
    """Two bytes a value, little-endian, row after row."""
    depth = log_probabilities.max(axis=1, keepdims=True) - log_probabilities
    steps = np.rint(np.sqrt(np.minimum(depth, SPAN_NATS) / SPAN_NATS) * _LEVELS)
    return bytes(steps.astype("<u2").tobytes())


def unpack(data: bytes, vocabulary: int) -> Rows:
    """What was packed, normalized."""
    steps = np.frombuffer(data, dtype="<u2").reshape(-1, vocabulary).astype(np.float32)
    return log_softmax(np.float32(-SPAN_NATS) * np.square(steps / np.float32(_LEVELS)))


def divergence(base: Rows, other: Rows) -> NDArray[np.float64]:
    """KL(base ‖ other) = Σ p (ln p − ln q) of each row, in nats."""
    found: NDArray[np.float64] = (np.exp(base) * (base - other)).sum(axis=1, dtype=np.float64)
    return np.maximum(found, 0.0)


def likelihood(logits: Rows, tokens: NDArray[np.int32], base: bytes | None) -> tuple[Likelihood, bytes]:
    """The figures of `tokens` under these rows, and the rows packed (empty beside a base, which is what they are measured by)."""
    vocabulary = logits.shape[1]
    size = max(1, _BLOCK_VALUES // vocabulary)
    nll, tops, kl, packed = 0.0, 0, list[float](), list[bytes]()
    for start in range(0, len(tokens), size):
        rows = log_softmax(logits[start : start + size])
        right = tokens[start : start + size]
        nll -= float(rows[np.arange(len(right)), right].sum(dtype=np.float64))
        if base is None:
            packed.append(pack(rows))
            continue
        width = vocabulary * BYTES_PER_VALUE
        theirs = unpack(base[start * width : (start + len(right)) * width], vocabulary)
        kl += divergence(theirs, rows).tolist()
        tops += int((theirs.argmax(axis=1) == rows.argmax(axis=1)).sum())
    return Likelihood(nll, tuple(kl), tops), b"".join(packed)
