"""Plain values ↔ JSON with type tags: the only form in which a candidate's data leaves its process.

`encode` runs on the untrusted side, `decode` on the checker's. `decode` builds exact built-in and standard library values (and
numpy scalars and arrays); it never calls anything that the sender names. A subclass is flattened to its base, so that no `__eq__`
crosses; any other object becomes an `Opaque`, which equals nothing. Sharing and cycles do not cross either.

Numbers, strings, None, booleans and lists of them are JSON as it is; everything else is an object with one tag.
Not covered: framing and size limits (frames.py), what equality means (cpu_codegen/judging/).
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import fractions
import itertools
import json
import sys
import types
from collections.abc import Callable, Iterable, Reversible
from typing import Any

from cpu_codegen.sandbox import arrays, wrappers

CODEC_VERSION = 1
MAX_ITERATOR_ITEMS = 1_000_000
_MAX_DEPTH = 250  # three frames of the interpreter each, of its 1000
_INT64 = 1 << 63

_LONG_NUMBER = b"0" * 19
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_SCALARS = frozenset((int, float, str, bool, type(None)))
_EMPTY_MAP: dict[str, int] = {}
_VIEWS = (_EMPTY_MAP.keys(), _EMPTY_MAP.values(), _EMPTY_MAP.items())
_KEYS, _VALUES, _ITEMS = map(type, _VIEWS)
_EMPTY_THINGS: tuple[Iterable[Any], ...] = ([], (), "", b"", range(0), range(1 << 70), _EMPTY_MAP, set(), *_VIEWS)
_EMPTY_REVERSIBLES: tuple[Reversible[Any], ...] = ([], _EMPTY_MAP, *_VIEWS)
_ITERATORS: tuple[type, ...] = (
    types.GeneratorType,
    *(map, filter, zip, enumerate, reversed),
    *(type(iter(thing)) for thing in _EMPTY_THINGS),
    *(type(reversed(thing)) for thing in _EMPTY_REVERSIBLES),
    *(value for value in vars(itertools).values() if isinstance(value, type)),
)


class Unsupported(Exception):
    """A value that cannot cross: too deep, cyclic, endless, or an array of objects."""


class Opaque:
    """Stands for a value of a type that may not cross. It equals nothing, itself included."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.type_name} object>"


# ── encode ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def dumps(encoded: Any) -> bytes:
    """Encoded value → bytes."""
    return _to_json(encoded).encode()


def _refuse(value: Any) -> Any:
    raise TypeError(f"not encoded: {type(value).__name__}")


def _json_writer() -> Callable[[Any], str]:
    """JSONEncoder(separators=(",", ":"), check_circular=False).encode; with its C part made once, not at every call."""
    slow = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
    make = getattr(json.encoder, "c_make_encoder", None)
    text = getattr(json.encoder, "c_encode_basestring_ascii", None)
    if make is None or text is None:
        return slow
    write = make(None, _refuse, text, None, ":", ",", False, False, True)
    return lambda value: "".join(write(value, 0))


_to_json = _json_writer()


def encode(value: Any, depth: int = 0) -> Any:
    """Value → what `json` can write. Raises Unsupported."""
    kind = type(value)
    if kind in _SCALARS:
        return value if kind is not int or -_INT64 <= value < _INT64 else {"I": hex(value)}
    if depth > _MAX_DEPTH:
        raise Unsupported("too deep or cyclic")
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value, depth + 1)
    return _encode_rare(value, depth + 1)


def encoded_text(parsed: Any) -> bytes:
    """JSON that was read → the text of its encoding. Most is its own: no object in it, no number that may need over 64 bits."""
    text = dumps(parsed)
    is_plain = b"{" not in text and _LONG_NUMBER not in text.translate(_DIGITS_ALIKE)
    return text if is_plain else dumps(encode(parsed))


def _encode_items(items: Any, depth: int) -> list[Any]:
    """A list as it is when all items are plain, which the C encoder then writes without our help."""
    kinds = set(map(type, items))
    if kinds <= _SCALARS and (int not in kinds or _fits_int64(items, kinds)):
        return list(items) if type(items) is not list else items
    return [encode(item, depth) for item in items]


def _fits_int64(items: Any, kinds: set[type]) -> bool:
    if kinds == {int}:
        return bool(min(items) >= -_INT64 and max(items) < _INT64)
    return all(type(item) is not int or -_INT64 <= item < _INT64 for item in items)


def _encode_dict(value: dict[Any, Any], depth: int) -> Any:
    kinds = set(map(type, value.values()))
    if (
        set(map(type, value)) <= {str}
        and kinds <= _SCALARS
        and (int not in kinds or _fits_int64(value.values(), kinds))
    ):
        return {"m": value}
    return {"d": _encode_pairs(value, depth)}


def _encode_pairs(value: dict[Any, Any], depth: int) -> list[list[Any]]:
    return [[encode(key, depth), encode(item, depth)] for key, item in dict.items(value)]


def _encode_iterator(value: Any, depth: int) -> Any:
    items = list(itertools.islice(value, MAX_ITERATOR_ITEMS + 1))
    if len(items) > MAX_ITERATOR_ITEMS:
        raise Unsupported(f"an iterator with more than {MAX_ITERATOR_ITEMS} items")
    return {"it": _encode_items(items, depth)}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


_ENCODERS: dict[type, Callable[[Any, int], Any]] = {
    list: _encode_items,
    dict: _encode_dict,
    tuple: lambda v, d: {"t": _encode_items(v, d)},
    set: lambda v, d: {"s": _encode_items(v, d)},
    frozenset: lambda v, d: {"f": _encode_items(v, d)},
    bytes: lambda v, d: {"b": _text(v)},
    bytearray: lambda v, d: {"ba": _text(v)},
    complex: lambda v, d: {"c": [v.real, v.imag]},
    range: lambda v, d: {"r": [encode(v.start, d), encode(v.stop, d), encode(v.step, d)]},
    decimal.Decimal: lambda v, d: {"D": str(v)},
    fractions.Fraction: lambda v, d: {"F": [encode(v.numerator, d), encode(v.denominator, d)]},
    datetime.datetime: lambda v, d: {"dt": v.isoformat()},
    datetime.date: lambda v, d: {"da": v.isoformat()},
    datetime.time: lambda v, d: {"ti": v.isoformat()},
    datetime.timedelta: lambda v, d: {"td": [v.days, v.seconds, v.microseconds]},
    collections.deque: lambda v, d: {"q": [_encode_items(list(v), d), v.maxlen]},
    collections.Counter: lambda v, d: {"C": _encode_pairs(v, d)},
    collections.OrderedDict: lambda v, d: {"od": _encode_pairs(v, d)},
    collections.defaultdict: lambda v, d: {"dd": _encode_pairs(v, d)},
    _KEYS: lambda v, d: {"dk": _encode_items(list(v), d)},
    _VALUES: lambda v, d: {"dv": _encode_items(list(v), d)},
    _ITEMS: lambda v, d: {"di": [[encode(key, d), encode(item, d)] for key, item in v]},
    type(...): lambda v, d: {"e": 0},
    type(NotImplemented): lambda v, d: {"ni": 0},
}


def _encode_rare(value: Any, depth: int) -> Any:
    """Iterators, numpy, and subclasses of plain types, which lose their class and keep their data."""
    if isinstance(value, _ITERATORS):
        return _encode_iterator(value, depth)
    holder = wrappers.unwrapped(value)
    if holder is not None:
        return {"w": [holder[0], encode(holder[1], depth)]}
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        if value.dtype.char == "O":  # what numpy makes of None and of integers over 64 bits
            return {"no": [list(value.shape), _encode_items(value.ravel().tolist(), depth)]}
        if value.dtype.hasobject:
            raise Unsupported("an array with objects in it")
        return {"na": [value.dtype.str, list(value.shape), _text(numpy.ascontiguousarray(value).tobytes())]}
    if numpy is not None and isinstance(value, numpy.generic):
        if not value.nbytes:  # numpy.str_("") has no bytes to be made of
            return encode(value.item())
        return {"ns": [value.dtype.str, _text(value.tobytes())]}
    for base, plain in _FLATTEN:
        if isinstance(value, base):
            return _ENCODERS[base](plain(value), depth) if base in _ENCODERS else encode(plain(value), depth)
    kind = type(value)
    module = getattr(kind, "__module__", "?")  # type("C", (), {}) has none where the program's globals have no __name__
    return {"o": f"{module}.{kind.__qualname__}"[:200]}


_FLATTEN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__index__),
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda v: bytes.__getitem__(v, slice(None))),
    (tuple, lambda v: tuple(tuple.__iter__(v))),
    (list, lambda v: list(list.__iter__(v))),
    (dict, lambda v: dict(dict.items(v))),
    (set, lambda v: set(set.__iter__(v))),
    (frozenset, lambda v: set(frozenset.__iter__(v))),
)


# ── decode ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def loads(payload: bytes) -> Any:
    """Bytes → value. Raises ValueError, TypeError and their like for anything that `encode` does not write."""
    parsed = json.loads(payload)
    return decode(parsed) if b"{" in payload else parsed  # without an object there is no tag: nothing to rebuild


def decode(encoded: Any) -> Any:
    """What `json` read → value of exact plain types."""
    kind = type(encoded)
    if kind is list:
        kinds = set(map(type, encoded))
        return encoded if dict not in kinds and list not in kinds else [decode(item) for item in encoded]
    if kind is dict:
        if len(encoded) != 1:
            raise ValueError("not one tag")
        ((tag, content),) = encoded.items()
        return _DECODERS[tag](content)
    return encoded


def _plain_mapping(content: Any) -> dict[str, Any]:
    if type(content) is not dict or not set(map(type, content.values())) <= _SCALARS:
        raise ValueError("not a plain mapping")
    return content


def _items(content: Any) -> list[Any]:
    if type(content) is not list:
        raise ValueError("not a list")
    decoded = decode(content)
    assert type(decoded) is list
    return decoded


def _pairs(content: Any) -> dict[Any, Any]:
    return {decode(key): decode(value) for key, value in content}


def _integer(content: str) -> int:
    return int(content, 16)


def _maxlen(content: Any) -> int | None:
    return None if content is None else int(content)


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "I": _integer,
    "m": _plain_mapping,
    "d": _pairs,
    "t": lambda c: tuple(_items(c)),
    "s": lambda c: set(_items(c)),
    "f": lambda c: frozenset(_items(c)),
    "b": lambda c: base64.b64decode(c),
    "ba": lambda c: bytearray(base64.b64decode(c)),
    "c": lambda c: complex(float(c[0]), float(c[1])),
    "r": lambda c: range(*(int(decode(n)) for n in c)),
    "D": lambda c: decimal.Decimal(c),
    "F": lambda c: fractions.Fraction(decode(c[0]), decode(c[1])),
    "dt": datetime.datetime.fromisoformat,
    "da": datetime.date.fromisoformat,
    "ti": datetime.time.fromisoformat,
    "td": lambda c: datetime.timedelta(*c),
    "q": lambda c: collections.deque(_items(c[0]), _maxlen(c[1])),
    "C": lambda c: collections.Counter(_pairs(c)),
    "od": lambda c: collections.OrderedDict(_pairs(c)),
    "dd": lambda c: collections.defaultdict(None, _pairs(c)),
    "dk": lambda c: dict.fromkeys(_items(c)).keys(),
    "dv": lambda c: dict(enumerate(_items(c))).values(),
    "di": lambda c: _pairs(c).items(),
    "e": lambda c: ...,
    "ni": lambda c: NotImplemented,
    "it": lambda c: iter(_items(c)),
    "o": lambda c: Opaque(str(c)[:200]),
    "w": lambda c: wrappers.wrapped(c[0], decode(c[1])),
    "na": lambda c: arrays.array(c[0], c[1], base64.b64decode(c[2])),
    "no": lambda c: arrays.object_array(c[0], _items(c[1])),
    "ns": lambda c: arrays.array(c[0], [1], base64.b64decode(c[1]))[0],
}
