"""The inputs of HumanEval+ and MBPP+ as they are published → encoded argument lists, ready for a candidate.

JSON has no tuples, sets or complex numbers, so MBPP+'s inputs mean what EvalPlus's `mbpp_deserialize_inputs` makes of them, by
number of the task. Forgetting it is the commonest cause of other verdicts.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from cpu_codegen.sandbox import values

Arguments = Sequence[Any]
_Rule = Callable[[list[Any]], Arguments]


def encoded_inputs(task_id: str, packed: bytes) -> tuple[list[Any], list[Any]]:
    """Encoded argument lists of the base and of the plus tests, from the packed record of a task."""
    base, plus = published_inputs(packed)
    return encoded(task_id, base), encoded(task_id, plus)


def published_inputs(packed: bytes) -> tuple[list[Any], list[Any]]:
    """The same as the publisher wrote them. Mbpp/793 has an empty object for its plus inputs: none."""
    record = json.loads(zlib.decompress(packed))
    return record["base_input"] or [], record["plus_input"] or []


def encoded(task_id: str, inputs: Sequence[Any]) -> list[Any]:
    """Published argument lists → encoded ones."""
    rule = mbpp_rule(task_id)
    return [values.encode(list(rule(arguments))) for arguments in inputs]


def encoded_text(task_id: str, inputs: Sequence[Any]) -> bytes:
    """The JSON text of `encoded`, which takes a fraction of the time where the arguments stay as they are."""
    if mbpp_rule(task_id) is _as_they_are:
        return values.encoded_text(inputs)
    return values.dumps(encoded(task_id, inputs))


def mbpp_rule(task_id: str) -> _Rule:
    """How the arguments of a task are rebuilt; as they are, for most tasks and all of HumanEval."""
    suite, _, number = task_id.partition("/")
    return _MBPP.get(int(number), _as_they_are) if suite == "Mbpp" else _as_they_are


def _as_they_are(arguments: list[Any]) -> Arguments:
    return arguments


def _each_to_tuple(arguments: list[Any]) -> Arguments:
    return [tuple(argument) for argument in arguments]


def _elements_to_tuples(arguments: list[Any]) -> Arguments:
    return [[tuple(item) for item in argument] for argument in arguments]


def _both_levels_to_tuples(arguments: list[Any]) -> Arguments:
    return [tuple(map(tuple, argument)) for argument in arguments]


def _elements_of_first(arguments: list[Any]) -> Arguments:
    return [[tuple(item) for item in arguments[0]], arguments[1]]


def _first_to_tuple(arguments: list[Any]) -> Arguments:
    return [tuple(arguments[0]), *arguments[1:]]


def _second_to_tuple(arguments: list[Any]) -> Arguments:
    return [arguments[0], tuple(arguments[1])]


def _lists_to_sets(arguments: list[Any]) -> Arguments:
    return [[set(item) if isinstance(item, list) and item else {} for item in arguments[0]]]


def _float_and_complex(arguments: list[Any]) -> Arguments:
    return (float(arguments[0]), complex(arguments[1]))


def _complex(arguments: list[Any]) -> Arguments:
    return [complex(arguments[0])]


def _mixed_items(arguments: list[Any]) -> Arguments:
    return [tuple(tuple(item) if isinstance(item, list) else item for item in arguments[0])]


def _values_of_first(arguments: list[Any]) -> Arguments:
    return [{key: tuple(value) for key, value in arguments[0].items()}, *arguments[1:]]


def _all_lists_to_tuples(arguments: Any) -> Any:
    if isinstance(arguments, list):
        return tuple(map(_all_lists_to_tuples, arguments))
    return arguments


_GROUPS: tuple[tuple[_Rule, str], ...] = (
    (_each_to_tuple, "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809"),
    (_elements_to_tuples, "63 64 70 94 120 237 272 299 400 409 417 438 473 614 780"),
    (_elements_of_first, "75 413 444 753"),
    (_second_to_tuple, "106 750"),
    (_lists_to_sets, "115"),
    (_float_and_complex, "124"),
    (_first_to_tuple, "250 405 446 617 720 763 808 307"),
    (_both_levels_to_tuples, "259 401 445"),
    (_mixed_items, "278"),
    (_values_of_first, "722"),
    (_complex, "252"),
    (_all_lists_to_tuples, "580 615 791"),
)
_MBPP: dict[int, _Rule] = {int(number): rule for rule, numbers in _GROUPS for number in numbers.split()}
