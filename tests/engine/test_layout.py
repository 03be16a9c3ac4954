"""How the cache is divided: streams where memory allows, unified where not, and ranks that close when samples leave."""

from __future__ import annotations

import pytest

from cpu_codegen.engine.layout import Layout, plan_layout
from cpu_codegen.engine.prefixes import share
from cpu_codegen.engine.room import ANY_CONTEXT

from .fake import FakeBackend, job, run, scheduler_for

JOBS = [job(f"a beginning for all, and own words {i}", max_tokens=100) for i in range(12)]
PREFIXES = share([one.tokens for one in JOBS]).prefixes


def planned(width: int, room_bytes: int, **fields: object) -> object:
    """A layout of JOBS with 1000 bytes a place."""
    options = {"cell_bytes": 1000, "most_sequences": 256, **fields}
    return plan_layout(JOBS, PREFIXES, width=width, room_bytes=room_bytes, **options)  # type: ignore[arg-type]


def test_every_sequence_gets_a_stream_where_memory_allows() -> None:
    """256 places each, for 8 samples and the holder of their one prefix."""
    layout = planned(8, 10**9)
    assert (layout.streams, layout.sequences, layout.cells) == (True, 9, 9 * 256)  # type: ignore[attr-defined]


def test_with_less_memory_the_cache_is_unified() -> None:
    """As many places as the room has, but never fewer than one job needs beside the prefixes; one sequence always is."""
    assert not planned(1, 10**9).streams  # type: ignore[attr-defined]
    tight, none = planned(8, 1_000_000), planned(8, 0)
    assert (tight.streams, tight.cells) == (False, 1000)  # type: ignore[attr-defined]
    assert len(JOBS[-1].tokens) + 100 <= none.cells < 256  # type: ignore[attr-defined]


def test_recurrent_state_takes_its_part_of_the_room() -> None:
    """Every sequence has a state: with little room there are fewer holders, then no streams, and never less than one job needs."""
    rooms = (10**9, 8_900_000, 8_100_000, 0)
    found = [planned(8, room, has_state=True, state_bytes=10**6, cell_bytes=10) for room in rooms]
    assert [(one.streams, one.holders) for one in found] == [(True, 1), (True, 0), (True, 0), (False, 0)]  # type: ignore[attr-defined]
    assert found[-1].cells >= len(JOBS[-1].tokens) + 100  # type: ignore[attr-defined]


def test_one_sequences_context_stays_within_its_bounds() -> None:
    """llama.cpp takes a unified cache for every sequence's context: it is kept short, with fewer holders, or made long enough."""
    several = [
        job(f"{word} begins four prompts, of which this is number {i}", max_tokens=100)
        for word in "abcdef"
        for i in range(4)
    ]
    prefixes = share([one.tokens for one in several]).prefixes
    options = {"width": 1, "cell_bytes": 1000, "room_bytes": 10**9, "most_sequences": 256}

    def of(*bounds: int) -> Layout:
        return plan_layout(several, prefixes, bounds=bounds or ANY_CONTEXT, **options)  # type: ignore[arg-type]

    free, short, shortest, long = of(), of(0, 256), of(0, 150), of(600, 1 << 40)
    assert (free.holders, free.cells > 256) == (len(prefixes), True)
    assert (0 < short.holders < free.holders, short.cells <= 256, short.bookable <= short.cells) == (True, True, True)
    assert (shortest.holders, shortest.cells) == (0, len(several[0].tokens) + 100)
    assert long.cells == 600
    assert plan_layout(several, prefixes, bounds=(600, 1 << 40), **{**options, "width": 4}).cells % 768 == 0  # type: ignore[arg-type]


class RankedBackend(FakeBackend):
    """Notes the sequences of every step, in the order in which they came."""

    def decode(self, tokens, positions, sequences, outputs) -> None:  # type: ignore[no-untyped-def]
        """Also refuses a step whose samples' numbers leave a gap although nobody is left to enter."""
        ranks = list(dict.fromkeys(sequences))
        assert ranks == sorted(ranks)
        self.ranks = [*getattr(self, "ranks", []), ranks]
        super().decode(tokens, positions, sequences, outputs)


@pytest.mark.parametrize("width", [3, 8])
def test_the_last_samples_stay_together(width: int) -> None:
    """Streams are decoded together only while their numbers follow each other: holes are filled, texts stay right."""
    jobs = [job(f"prompt {i:02}", max_tokens=100) for i in range(2 * width)]
    backend = RankedBackend(lambda p: p[-2:] + "z" * (7 * int(p[-2:]) % 40))
    found = run(scheduler_for(backend, jobs, width=width, streams=True))
    assert {key: g.text for key, g in found.items()} == {
        one.request.key: one.request.key[-2:] + "z" * (7 * int(one.request.key[-2:]) % 40) for one in jobs
    }
    tail = backend.ranks[-10:]
    assert all(ranks == list(range(len(ranks))) for ranks in tail)
    assert not any(backend.state.values())
