"""What the canonical solution answers is kept the same, whether its replies are taken together as text or one by one."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from cpu_codegen.judging.inputs import encoded_inputs, encoded_text, published_inputs
from cpu_codegen.judging.prepare import _Collected
from cpu_codegen.judging.prepared import chunks_of
from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.inside.replies import Announced, Raised, parse_replies, sure_replies

PLAIN = [None, True, -3, 2.5, "é, ]", [1, [2.0, "x"]], [], float("inf"), -(1 << 63), [0.5, 1.5]]
TAGGED = [(1, (2,)), {"a": 1}, {1: {2}}, 1 << 90, 1j, b"x", (0.5, 1.5)]


def frame(*outputs: object, number: int = 77) -> bytes:
    """As the candidate writes it."""
    return b"[%d,%b]" % (number, b",".join(values.dumps([0, values.encode(output)]) for output in outputs))


@pytest.mark.parametrize("outputs", [PLAIN, PLAIN[:1], TAGGED, [[1.5]], ["a", 0.0], [1, 2, 3]])
def test_together_or_one_by_one_is_the_same(outputs: list[Any]) -> None:
    """Text, ends, seconds of the last call, and where the tolerance begins."""
    together, single = _Collected("humaneval+", "f"), _Collected("humaneval+", "f")
    found = sure_replies(frame(*outputs), len(outputs), 77)
    assert found is not None
    for collected in (together, single):
        collected.add_sure(sure_replies(frame(1), 1, 77), 0.0)  # type: ignore[arg-type]
    together.add_sure(found, 2.0)
    for position, reply in enumerate(parse_replies(frame(*outputs), len(outputs), 77), 1):
        assert not isinstance(reply, Raised | Announced)
        single.add(reply, 2.0 if position == len(outputs) else 0.0, 0.0)
    assert together.part([]) == single.part([])
    assert together.part([]).expected(1) == outputs[0]


@pytest.mark.parametrize(
    "payload",
    [
        frame(iter([1])),
        frame({1: 2}.values()),
        frame(1, float("nan")),
        frame(1, number=78),
        frame(1)[:-1] + b',[1,["E","",""]]]',
        frame(1, 2, 3),
        b"[77,[0,1,[]]]",
        b'[77,[0,"],[0,"]]',
        b'[77,[0,[[1],[0,2]]],[1,["E","",""]]]',
    ],
    ids=[
        "iterator",
        "view",
        "nan",
        "other batch",
        "raised",
        "too many",
        "arguments",
        "reads like two",
        "reads like two beside an error",
    ],
)
def test_what_equal_texts_do_not_prove_is_looked_at(payload: bytes) -> None:
    """Iterators, views, nan, another batch's number, errors, more replies than calls: not taken as text."""
    assert sure_replies(payload, 2, 77) is None


@pytest.mark.parametrize("argument", [1, ["x", 1.5, None], {"a": 1}, 1 << 63, 10**18, "{", -(10**30), float("inf")])
def test_the_text_of_an_encoding_is_the_same_either_way(argument: Any) -> None:
    """Taken as it is or encoded value by value: an object would be read as a tag, a long number needs one."""
    assert values.encoded_text([[argument]]) == values.dumps(values.encode([[argument]]))


def test_long_inputs_are_halved_until_they_fit() -> None:
    """Nothing is lost, nothing is split; what is too long alone stays alone."""
    inputs = [["x" * 3_000_000], [1], ["y" * 5_000_000], [2], [3]]
    chunks = chunks_of(inputs)
    assert [argument for chunk in chunks for argument in json.loads(chunk.inputs)] == inputs
    assert [chunk.first for chunk in chunks] == [0, 2, 3]
    assert [chunk.count for chunk in chunks] == [2, 1, 2]


@pytest.mark.parametrize("task_id", ["HumanEval/1", "Mbpp/250", "Mbpp/63", "Mbpp/580"])
def test_a_record_is_encoded_as_one_by_one(task_id: str) -> None:
    """Whatever a task's rule makes of its arguments, and with numbers beyond 64 bits."""
    inputs = [[[[1, 2], [3, 1 << 70]], "a"], [[[4, 5]], "b"]]
    packed = zlib.compress(json.dumps({"base_input": inputs, "plus_input": {}}).encode())
    (base, plus), (expected, _) = published_inputs(packed), encoded_inputs(task_id, packed)
    assert json.loads(encoded_text(task_id, base)) == expected
    assert (expected == inputs) is False
    assert plus == []


def test_an_array_of_objects_is_looked_at() -> None:
    """Two of them are equal item by item, which is no truth: their texts prove nothing."""
    assert sure_replies(b'[77,[0,{"no":[[2],[1,null]]}]]', 1, 77) is None
