"""What is kept of a task: whole after packing, and comparable as bytes only where that is sure."""

from __future__ import annotations

import pytest

from cpu_codegen.judging.prepared import Digest, Part, chunks_of, pack, unpack
from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.inside.raw_batch import Known


def known(*outputs: object) -> Known:
    """Replies as the candidate writes them."""
    texts = [values.dumps([0, values.encode(output)]) for output in outputs]
    ends, total = [], -1
    for text in texts:
        total += 1 + len(text)
        ends.append(total)
    return Known(b",".join(texts), ends)


KNOWN = known(1, [2, 3], "x,y", 4)
HEAD = b"[77,"


def test_replies_that_are_as_known_are_counted_wherever_a_frame_begins() -> None:
    """Any run of whole replies, in their place."""
    assert KNOWN.count_same(HEAD + KNOWN.text + b"]", len(HEAD), 0) == 4
    assert KNOWN.count_same(HEAD + b'[0,"x,y"],[0,4]]', len(HEAD), 2) == 2
    assert KNOWN.count_same(HEAD + b"[0,1]]", len(HEAD), 0) == 1


@pytest.mark.parametrize(
    "frame",
    [b"[0,2]]", b"[0,1],[0,[2]", b"[0,1],[0,[2,3]", b"[0,1],]", b"]", b"", b"[0,1]", b"[0,1],[0,[2,3]],[0,1]]"],
)
def test_a_frame_that_differs_anywhere_counts_nothing(frame: bytes) -> None:
    """Other values, half replies, missing brackets, too much: all of it is parsed and judged instead."""
    assert KNOWN.count_same(HEAD + frame, len(HEAD), 0) == 0


def test_replies_out_of_place_count_nothing() -> None:
    """The right answer to another input is no answer to this one; nothing follows the last one."""
    assert KNOWN.count_same(HEAD + b"[0,1]]", len(HEAD), 1) == 0
    assert KNOWN.count_same(HEAD + b"[0,4],[0,4]]", len(HEAD), 3) == 0


def test_a_part_survives_packing() -> None:
    """Inputs, expected replies, digests, times and the point where the tolerance begins."""
    inputs = [values.encode([(1, 2), {3}]), values.encode([1 + 2j, {"a": (1,)}])]
    part = Part(chunks_of(inputs), known(1, 2), {1: Digest("str", 9, "ab")}, {1: 2.5}, 1, 3.5, 0.5)
    base, plus = unpack(pack([part, Part([], Known(b"", []))]))
    assert (base, plus.count) == (part, 0)
    assert base.arguments(0) == [(1, 2), {3}]
    assert base.arguments(1) == [1 + 2j, {"a": (1,)}]
    assert [base.expected(0), base.expected(1)] == [1, 2]


def test_inputs_are_found_in_whatever_chunk_they_lie() -> None:
    """1000 inputs make several chunks that hold each input once, in order."""
    part = Part(chunks_of([[i] for i in range(1000)]), Known(b"", []))
    assert len(part.chunks) > 1
    assert sum(chunk.count for chunk in part.chunks) == 1000
    assert [part.arguments(i) for i in (0, 255, 256, 999)] == [[0], [255], [256], [999]]


def test_limits_are_evalplus_s() -> None:
    """Four seconds a call or four times the reference; a process has 60 s at most, fewer calls less, and 2 s more."""
    few = Part([], Known(b"", [1, 2, 3]), slow_s={1: 2.0})
    assert [few.call_limit_s(i) for i in range(3)] == [4.0, 8.0, 4.0]
    assert few.limit_s == 4.0 + 8.0 + 4.0 + 2.0
    assert Part([], Known(b"", list(range(100)))).limit_s == 62.0


def test_a_slow_machine_gets_twice_the_reference_s_time() -> None:
    """Where the reference alone takes 50 s, 60 s would fail right programs."""
    assert Part([], Known(b"", list(range(100))), reference_s=50.0).limit_s == 102.0
