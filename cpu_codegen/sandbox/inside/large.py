"""Outputs too large for a frame: told by kind, length and digest, and sent piece by piece only if asked for.

The digest is over pickle's bytes without its memo, which would tell one string from an equal other one; so equal digests mean equal
values of equal types. (marshal takes twice as long over strings: it encodes each anew.) Nothing is ever unpickled. Unequal digests
mean nothing: 1, True and 1.0 are equal with different bytes, and so may be two dicts. Who compares then asks for the pieces. A
digest is as hard to forge as the value: both come from the candidate's process. Runs on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any, NoReturn

LARGE_ITEMS = 4_000_000
PIECE_ITEMS = 1 << 14
KINDS: dict[str, type[Sized]] = {"list": list, "tuple": tuple, "str": str, "bytes": bytes}
_PROTOCOL = 4


def is_large(output: Any, items: int = LARGE_ITEMS) -> bool:
    """A guess that costs nothing: by the length of the output and of its first item."""
    if type(output) not in (list, tuple) or len(output) < 1000:
        return type(output) in (str, bytes) and len(output) > 8 * items
    first = output[0]
    width = len(first) if type(first) in (list, tuple, str) else 1
    return len(output) * (1 + width) > items


def is_offered(output: Any) -> bool:
    """May it be told by kind, length and digest?"""
    return type(output).__name__ in KINDS


def describe_large(output: Any) -> list[Any]:
    """What is said of it at once: kind, length, and whether its digest takes a while."""
    return [type(output).__name__, len(output), int(is_large(output))]


def all_floats(output: Any) -> bool:
    """True for a list or tuple of nothing but floats; as a rule the first item tells."""
    return type(output) in (list, tuple) and all(isinstance(item, float) for item in output)


def digest(output: Any) -> str:
    """Of exact built-in values; "" where an item is of any other type."""
    import hashlib  # here: it maps OpenSSL, which few programs need and every fork would copy
    import pickle

    class Plain(pickle.Pickler):
        def reducer_override(self, _: Any) -> NoReturn:
            raise pickle.PicklingError("no built-in value")

    class Sink:
        def write(self, data: bytes) -> None:
            total.update(data)

    total = hashlib.sha256(type(output).__name__.encode())
    try:
        for piece in pieces(output):
            pickler = Plain(Sink(), _PROTOCOL)
            pickler.fast = True  # no memo
            pickler.dump(piece)
    except (pickle.PicklingError, ValueError, MemoryError, RecursionError):
        return ""
    return total.hexdigest()


def pieces(output: Any) -> Iterator[Any]:
    """Slices, each small enough for a frame unless its items are large themselves."""
    items = PIECE_ITEMS if type(output) in (list, tuple) else PIECE_ITEMS << 6
    return (output[start : start + items] for start in range(0, len(output), items))
