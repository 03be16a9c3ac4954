"""Classes of the standard library that hold a plain value and equal it: ChainMap({1: 2}) == {1: 2}. How they cross as data.

EvalPlus compares with ==, so a program that returns one is right there. Only exact types; a subclass may say what it equals.
"""

from __future__ import annotations

import array
import collections
import types
from collections.abc import Callable
from typing import Any

_Form = tuple[type, Callable[[Any], Any], Callable[[Any], Any]]  # class, value → its data, data → value

_FORMS: dict[str, _Form] = {
    "ChainMap": (collections.ChainMap, lambda v: v.maps, lambda data: collections.ChainMap(*data)),
    "UserDict": (collections.UserDict, lambda v: v.data, collections.UserDict),
    "UserList": (collections.UserList, lambda v: v.data, collections.UserList),
    "UserString": (collections.UserString, lambda v: v.data, collections.UserString),
    "mappingproxy": (types.MappingProxyType, dict, types.MappingProxyType),
    "array": (array.array, lambda v: [v.typecode, v.tolist()], lambda data: array.array(*data)),
}
_NAMES = {form[0]: name for name, form in _FORMS.items()}


def unwrapped(value: Any) -> tuple[str, Any] | None:
    """Name of the class, and the data; None for a value of any other class."""
    name = _NAMES.get(type(value))
    return None if name is None else (name, _FORMS[name][1](value))


def wrapped(name: str, data: Any) -> Any:
    """The inverse. KeyError, TypeError, ValueError for what `unwrapped` does not give."""
    return _FORMS[name][2](data)
