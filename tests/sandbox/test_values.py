"""The channel's decoder: what a hostile sender can make of it (nothing but plain values and known errors)."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import random
import types
from array import array
from typing import Any

import pytest

from cpu_codegen.sandbox import values, wrappers
from cpu_codegen.sandbox.inside.replies import _DECODE_ERRORS

ROUNDS = 8_000
TAGS = [*values._DECODERS, "x", "", "__class__"]
TEXTS = ("", "a", "0x", "-0xff", "2024-02-30", "1e999999", "AAAA", "<i8", "|O", "<M8[s]", "\ud800", "é" * 9)
PLAIN = {
    *(type(None), bool, int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset, complex, range),
    *(collections.deque, collections.Counter, collections.OrderedDict, collections.defaultdict),
    *wrappers._NAMES,
    *(decimal.Decimal, fractions.Fraction, datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    *(values._KEYS, values._VALUES, values._ITEMS, type(...), type(NotImplemented), type(iter([])), values.Opaque),
}


def hostile_tree(rng: random.Random, depth: int = 0) -> Any:
    """JSON of any shape, tags in right and wrong places."""
    choice = rng.randrange(12 if depth < 5 else 7)
    if choice == 0:
        return rng.choice([None, True, False])
    if choice == 1:
        return rng.choice([0, 1, -1, 2**63, -(2**70), 10**30, rng.randrange(-1000, 1000)])
    if choice == 2:
        return rng.choice([0.0, -0.0, 1e308, float("nan"), float("inf"), rng.random()])
    if choice in (3, 4):
        return rng.choice([*TEXTS, *wrappers._FORMS])
    if choice in (5, 6):
        return []
    if choice in (7, 8):
        return [hostile_tree(rng, depth + 1) for _ in range(rng.randrange(4))]
    tags = rng.sample(TAGS, 1 if choice < 11 else rng.randrange(3))
    return {tag: hostile_tree(rng, depth + 1) for tag in tags}


def types_in(value: Any) -> set[type]:
    """All types inside a value, whatever holds them."""
    found = {type(value)}
    if isinstance(value, dict):
        return found.union(*map(types_in, value.keys()), *map(types_in, value.values()))
    if isinstance(value, list | tuple | set | frozenset | collections.deque):
        return found.union(*map(types_in, value))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_any_frame_decodes_to_plain_types_or_a_known_error(seed: int) -> None:
    """Property: whatever JSON arrives, only listed types are built, or an error is raised that counts as the sender's fault."""
    rng = random.Random(seed)
    numpy = pytest.importorskip("numpy")
    decoded = 0
    for _ in range(ROUNDS):
        payload = json.dumps(hostile_tree(rng)).encode()
        try:
            value = values.loads(payload)
        except _DECODE_ERRORS:
            continue
        decoded += 1
        foreign = {kind for kind in types_in(value) - PLAIN if not issubclass(kind, numpy.generic | numpy.ndarray)}
        assert not foreign, payload
    assert ROUNDS // 10 < decoded < ROUNDS  # both ways were taken


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_are_known_errors(seed: int) -> None:
    """Property: a frame with flipped, cut or doubled bytes never raises anything but the sender's faults."""
    rng = random.Random(seed)
    good = values.dumps(values.encode([1, "a", {"k": (1.5, {2, 3})}, decimal.Decimal("1.5"), {1: b"x"}, range(3)]))
    failed = 0
    for _ in range(3000):
        damaged = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        cut = bytes(damaged[: rng.randrange(1, len(damaged) + 1)])
        try:
            values.loads(cut)
        except _DECODE_ERRORS:
            failed += 1
    assert failed > 1000


ROUND_TRIPS: list[Any] = [
    None,
    [True, 1, 1.0, -0.0, 2**63, -(2**100), float("inf")],
    ("a", b"b", bytearray(b"c"), "\ud800", "𝄞"),
    {"k": 1, 2: [3], (4, 5): {6}},
    [collections.Counter("aab"), collections.OrderedDict(b=1, a=2), collections.deque([1, 2], 5)],
    [decimal.Decimal("0.10"), fractions.Fraction(1, 3), 1 + 2j, range(1, 9, 2), ..., frozenset({1})],
    [
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 1, 1, 2, 3, 4, 5),
        datetime.time(1),
        datetime.timedelta(1, 2, 3),
    ],
    [collections.ChainMap({1: "a"}, {2: "b"}), types.MappingProxyType({"k": [1]}), array("i", [1, 2]), array("u", "é")],
    [collections.UserDict({1: 2}), collections.UserList([1, (2,)]), collections.UserString("text")],
]


@pytest.mark.parametrize("value", ROUND_TRIPS, ids=repr)
def test_a_plain_value_comes_back_equal_and_of_its_type(value: Any) -> None:
    """Property: encode, bytes, decode is the identity on plain values, types included."""
    back = values.loads(values.dumps(values.encode(value)))
    assert back == value
    assert repr(back) == repr(value)


def test_nan_and_iterators_come_back_as_such() -> None:
    """Property: a nan stays a nan; iterators and views come back as iterators and views of the same items."""
    back = values.loads(values.dumps(values.encode([float("nan"), iter([1, 2]), {1: 2}.items(), map(str, [3])])))
    assert back[0] != back[0]
    assert list(back[1]) == [1, 2]
    assert list(back[2]) == [(1, 2)]
    assert list(back[3]) == ["3"]


def test_an_opaque_equals_nothing_not_even_itself() -> None:
    """Property: an object of a foreign class arrives as something that no comparison accepts."""
    opaque = values.decode(values.encode(object()))
    assert type(opaque) is values.Opaque
    assert opaque != opaque
    assert opaque not in ([1], [None])


def test_what_cannot_cross_is_refused_on_the_way_out() -> None:
    """Property: cycles, endless iterators and arrays of records with objects are Unsupported, and not a hang."""
    import itertools

    numpy = pytest.importorskip("numpy")
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in (cycle, itertools.count(), numpy.array([(1, [])], dtype=[("a", int), ("b", object)])):
        with pytest.raises(values.Unsupported):
            values.encode(value)


@pytest.mark.parametrize(
    "name", ["<m8[s/0]", "<M8[Y/0]", "<m8[0s]", "<M8[s]x", "|V8", "|O", "<m4[s]", "?2", "<f", "<M8[9999999s]"]
)
def test_a_type_of_array_that_numpy_does_not_write_is_an_error(name: str) -> None:
    """Claim: it is refused by its name; numpy itself dies of some, and the checker with it."""
    with pytest.raises(ValueError, match="array type"):
        values.decode({"na": [name, [1], "AAAAAAAAAAA="]})


def test_types_of_arrays_that_numpy_writes_cross() -> None:
    """Claim: numbers, text, moments and spans of every unit come back as they were."""
    numpy = pytest.importorskip("numpy")
    units = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25s")
    kinds = [*"?bhiqBHIQefdgFDG", "S3", "U2", "m8", *(f"{kind}8[{unit}]" for kind in "mM" for unit in units)]
    for kind in kinds:
        array = numpy.zeros(2, kind)
        crossed = values.decode(json.loads(values.dumps(values.encode(array))))
        assert (crossed.dtype, crossed.shape) == (array.dtype, (2,)), kind
        assert (crossed == array).all(), kind


def test_a_byte_that_is_neither_true_nor_false_is_true() -> None:
    """Claim: an array of booleans holds zeros and ones, whatever bytes came."""
    numpy = pytest.importorskip("numpy")
    crossed = values.decode({"na": ["|b1", [3], "AAL/"]})
    assert crossed.view("u1").tolist() == [0, 1, 1]
    assert type(values.decode({"ns": ["|b1", "Ag=="]})) is numpy.bool_


def test_an_array_of_objects_comes_back_as_one() -> None:
    """Property: shape and items are kept, lists as items too; an object of a foreign class in it is opaque."""
    numpy = pytest.importorskip("numpy")
    array = numpy.empty((2, 2), dtype=object)
    array[0, 0], array[0, 1], array[1, 0], array[1, 1] = 2**70, None, [1, 2], object()
    back = values.loads(values.dumps(values.encode(array)))
    assert (back.shape, back.dtype.char, back[0, 0], back[0, 1], back[1, 0]) == ((2, 2), "O", 2**70, None, [1, 2])
    assert type(back[1, 1]) is values.Opaque
