"""The digest of outputs too large for a frame: equal for equal built-in values only, however they came to be."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest

from cpu_codegen.sandbox.inside.large import PIECE_ITEMS, digest

Point = namedtuple("Point", "x y")


class Word(str):
    """A string with other ideas."""


def fresh(text: str) -> str:
    """An equal string that is another object."""
    return "".join(list(text))


def test_equal_values_have_equal_digests_whichever_objects_they_are() -> None:
    """One string many times, or as many equal strings; the same tuple twice, or two."""
    one, pair = "colour", ("a", "b")
    count = 2 * PIECE_ITEMS + 1
    shared = [(one, one, pair, 2**70)] * count
    apart = [(fresh("colour"), fresh("colour"), ("a", fresh("b")), int("1180591620717411303424")) for _ in range(count)]
    assert digest(shared) == digest(apart) != ""


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ([1, 2], [1, 3]),
        ([1], [True]),
        ([1], [1.0]),
        ([0.0], [-0.0]),
        (["1"], [1]),
        (["a", "b"], ["ab"]),
        ([("a", "b"), ("c",)], [("a",), ("b", "c")]),
        ([[1], [2]], [[1, 2]]),
        ([1], (1,)),
        ("ab", b"ab"),
        ([b"a"], ["a"]),
        ([{"a": 1}], [{"a": 2}]),
        ([None], [False]),
        (["\ud800"], ["\ud801"]),
        (list(range(PIECE_ITEMS)), list(range(PIECE_ITEMS + 1))),
    ],
)
def test_other_values_have_other_digests(value: Any, other: Any) -> None:
    """Of another type, another order or another shape is another value here; who compares may still find them equal."""
    assert digest(value) != digest(other)
    assert digest(value)
    assert digest(other)


def cyclic() -> list[Any]:
    """A list that holds itself."""
    items: list[Any] = [1]
    items.append(items)
    return items


def nested(depth: int) -> list[Any]:
    """Lists in lists."""
    items: list[Any] = []
    for _ in range(depth):
        items = [items]
    return items


@pytest.mark.parametrize(
    "value",
    [
        [Word("a")],
        [Point(1, 2)],
        [OrderedDict(a=1)],
        [object()],
        [len],
        [int],
        [Word],
        [range(3)],
        [1j],
        cyclic(),
        nested(100_000),
    ],
    ids=lambda value: type(value[0]).__name__,
)
def test_what_is_no_plain_value_has_none(value: Any) -> None:
    """Nothing of a program's own classes is asked how it wants to be written."""
    assert digest(value) == ""
