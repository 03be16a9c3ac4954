"""numpy's arrays out of the parts in which they cross (values.py). numpy is imported only when an array comes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Nothing else: numpy itself dies of a unit such as [s/0].
_TYPE = re.compile(r"[<>|=]?(\?|[biufcSU][0-9]{1,9}|[mM]8(\[([1-9][0-9]{0,5})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)")


def array(type_name: str, shape: Sequence[Any], raw: bytes) -> Any:
    """An array of plain items. ValueError for types that are not plain, and for bytes that do not fit."""
    import numpy

    if not _TYPE.fullmatch(type_name):
        raise ValueError("not an array type")
    flat = numpy.frombuffer(raw, dtype=numpy.dtype(type_name))
    if flat.dtype.kind == "b":
        flat = flat.view("u1") != 0  # another byte than 0 and 1 would be neither True nor False, or both
    return flat.reshape([int(n) for n in shape]).copy()


def object_array(shape: Sequence[Any], items: Sequence[Any]) -> Any:
    """An array of whatever items were decoded."""
    import numpy

    flat = numpy.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        flat[index] = item  # all at once would make arrays of lists
    return flat.reshape([int(n) for n in shape])
