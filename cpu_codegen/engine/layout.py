"""How the KV cache is divided among sequences: one stream for each where memory allows, else one unified cache. Pure.

Streams: every sequence has places of its own, so attention looks at that sequence's tokens alone. A prefix is copied byte by byte,
some milliseconds a sample. Unified: all sequences share the places, a copied prefix costs none, but on a CPU every token's
attention steps over everybody's places: at 32 sequences the demo model's decode step took 62 ms against 36 (2 cores, AVX2).
A single sequence has nothing to step over and is always unified.

llama.cpp takes all places of a unified cache for every sequence's context. To most models that is one; those with two sets of rope
factors (LongRoPE) are turned by other angles beyond a certain context, so there `bounds` are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.engine.admission import least_cells, longest_job
from cpu_codegen.engine.lane import Job
from cpu_codegen.engine.prefixes import Prefix
from cpu_codegen.engine.room import ANY_CONTEXT

PADDING = 256
"""llama.cpp rounds a sequence's places up to this."""

MOST_SEQUENCES = 256
"""llama.cpp's own limit (LLAMA_MAX_SEQ)."""

MAX_HOLDERS = 16
MAX_STREAM_HOLDERS = 6
"""A holder costs a whole stream, in recurrent models a whole state."""

_UNBOUNDED = 1 << 50


@dataclass(frozen=True, slots=True)
class Layout:
    """`cells` places in all, `holders` sequences for prefixes beside the `width` ones. `bookable` is what admission may book."""

    width: int
    holders: int
    cells: int
    streams: bool
    bookable: int

    @property
    def sequences(self) -> int:
        """Samples and holders."""
        return self.width + self.holders


def plan_layout(
    jobs: Sequence[Job],
    prefixes: Sequence[Prefix],
    *,
    width: int,
    cell_bytes: int,
    room_bytes: int,
    most_sequences: int,
    has_state: bool = False,
    state_bytes: int = 0,
    spare: int = 0,
    bounds: tuple[int, int] = ANY_CONTEXT,
) -> Layout:
    """The layout for these jobs. `has_state`: recurrent parts, of `state_bytes` a sequence; `spare` places a sequence for guesses.

    Unified within `room_bytes` as far as that goes, but never less than one job needs beside all holders: then samples run one
    after the other. `bounds`: what llama.cpp may take for one sequence's context, at least and at most (room.context_bounds).
    """
    holders = min(len(prefixes), most_sequences - width, MAX_STREAM_HOLDERS)
    if state_bytes:
        holders = min(holders, max(0, room_bytes // state_bytes - width))
    each = _padded(max(longest_job(jobs) + spare, bounds[0]))
    total = each * (width + holders)
    if width > 1 and total * cell_bytes + (width + holders) * state_bytes <= room_bytes:
        return Layout(width, holders, total, streams=True, bookable=_UNBOUNDED)
    if not has_state:
        holders = min(len(prefixes), most_sequences - width, MAX_HOLDERS)
    most = max(bounds[1] // PADDING * PADDING, longest_job(jobs))
    while holders and least_cells(jobs, prefixes, width=width, holders=holders) + spare > most:
        holders -= 1
    room_bytes -= (width + holders) * state_bytes
    least = least_cells(jobs, prefixes, width=width, holders=holders)
    wanted = least + sum(sorted((job.cells for job in jobs), reverse=True)[:width])
    cells = min(most, max(least, min(wanted, max(0, room_bytes) // max(1, cell_bytes))))
    return Layout(width, holders, max(bounds[0], min(most, cells + spare)), streams=False, bookable=cells)


def _padded(places: int) -> int:
    """As llama.cpp rounds them up."""
    return (places + PADDING - 1) // PADDING * PADDING
