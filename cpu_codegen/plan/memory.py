"""RAM of a model at a context and width, part by part.

Formulas, checked against llama.cpp's own log (scripts/bench_plan.py lays them beside a measured peak):
KV cache     cells (a multiple of 256) × bytes per cell (by layer kind and cache type), recurrent state × sequences
compute      512 tokens × 4 bytes × (3 feed-forward + 4 width), and the mask of 512 × cells × 2 bytes; never less than the logits
outputs      width × vocabulary × 4 bytes
work         512 rows of quantized activations
process      the interpreter with llama.cpp loaded, and 300 bytes for each token's text and merge (both measured with 0.3.36)
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from cpu_codegen.plan.shape import Shape
from cpu_codegen.stats import Interval

BATCH_TOKENS = 512
CELL_PADDING = 256
PROCESS_BYTES = 48_000_000
ENTRY_BYTES = 300
_Q8K_BYTES_PER_VALUE = 292 / 256


@dataclass(frozen=True, slots=True)
class Ram:
    """`needed_bytes` must be there while it runs; `peak_bytes` is the largest resident set that a meter sees.

    They differ by the original bytes of repacked tensors, which stay mapped until the kernel takes them back.
    """

    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    process_bytes: int
    repacked_bytes: int
    interval: Interval

    @property
    def needed_bytes(self) -> int:
        """What must be there."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.process_bytes

    @property
    def peak_bytes(self) -> int:
        """What a meter of the resident set sees at most."""
        return self.needed_bytes + self.repacked_bytes


def ram(shape: Shape, *, cells: int, width: int, repacked_types: AbstractSet[str] = frozenset()) -> Ram:
    """RAM with `cells` tokens of KV cache shared by `width` sequences."""
    cells = -(-cells // CELL_PADDING) * CELL_PADDING
    kv = round(cells * shape.cell_bytes + width * shape.state_bytes)
    logits = width * shape.vocabulary * 4
    mask = BATCH_TOKENS * cells * 2
    graph = BATCH_TOKENS * 4 * (3 * shape.feed_forward + 4 * shape.width) + mask
    work = round(BATCH_TOKENS * max(shape.feed_forward, shape.width) * _Q8K_BYTES_PER_VALUE)
    compute = max(graph, logits + mask) + logits + work
    # a head that is tied to the embedding stays as it is: its rows are looked up
    again = sum(part.bytes for part in shape.weights if part.type in repacked_types and part.use in ("layer", "expert"))
    process = PROCESS_BYTES + ENTRY_BYTES * shape.entries
    total = shape.weight_bytes + kv + compute + process
    return Ram(shape.weight_bytes, kv, compute, process, again, _interval(shape, total, kv))


def _interval(shape: Shape, total: int, kv: int) -> Interval:
    """A tenth either way from a header; more where the shape is a guess or its state is not known exactly."""
    if shape.basis == "size":
        return Interval(total - 0.8 * kv, total + 3 * kv)
    share = 0.05 if shape.basis == "header" else 0.08
    unsure = shape.state_bytes if shape.state_bytes else 0.0
    return Interval(total * (1 - share) - unsure, total * (1 + share) + unsure)
