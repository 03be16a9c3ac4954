"""What each comparator accepts, rule by rule of EvalPlus's HEAD."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import pytest

from cpu_codegen.judging.comparators import NOT_NONE_TASKS, SET_TASKS, Rule, is_floats
from cpu_codegen.sandbox.values import Opaque

NOTHING: tuple[Any, ...] = ()


def accepts(
    comparator: Literal["evalplus", "strict"],
    expected: Any,
    output: Any,
    *,
    atol: float = 0.0,
    sticky: bool | None = None,
    suite: str = "mbpp+",
    entry_point: str = "f",
    arguments: tuple[Any, ...] = (),
) -> bool:
    """The rule's answer; what raises is not right. `sticky` None: as this expected value would have it."""
    rule = Rule(comparator, suite, entry_point, atol)
    try:
        return rule.accepts(arguments, expected, output, is_sticky=is_floats(expected) if sticky is None else sticky)
    except Exception:
        return False


@pytest.mark.parametrize(
    ("expected", "output", "evalplus", "strict"),
    [
        (1, 1, True, True),
        (1, 1.0, True, False),
        (1, True, True, False),
        (1.0, 1, True, True),
        ([1], (1,), False, False),
        ([], (), False, False),
        ([1.0, 2.0], (1.0, 2.0), False, False),
        ([1.0, 2.0], [1.0, 2.0 + 1e-8], True, True),
        ([1.0, 2.0], [1.0, 2.0 + 1e-5], False, False),
        ([1.0, 2], [1.0, 2 + 1e-8], False, False),
        ([[1.0]], [[1.0 + 1e-8]], False, True),
        (0.5, 0.5 + 1e-7, True, True),
        (0.5, "0.5", False, False),
        (float("nan"), float("nan"), False, True),
        (None, None, True, True),
        (Counter("aab"), {"a": 2, "b": 1}, True, True),
        ({1, 2}, {2, 1}, True, True),
        ({1, 2}, [1, 2], False, False),
        (1 + 2j, 1 + 2j, True, True),
        ("a", Opaque("Liar"), False, False),
    ],
)
def test_equality(expected: Any, output: Any, evalplus: bool, strict: bool) -> None:
    """== with a tolerance for floats and flat lists of floats; strict also looks at types, and into nested values."""
    assert accepts("evalplus", expected, output) is evalplus
    assert accepts("strict", expected, output) is strict


def test_the_tolerance_stays_on_once_a_float_was_expected() -> None:
    """EvalPlus's flaw: 1000000050 for the integer 1000000000, after a float; strict does not follow."""
    assert not accepts("evalplus", 10**9, 10**9 + 50, sticky=False)
    assert accepts("evalplus", 10**9, 10**9 + 50, sticky=True)
    assert not accepts("strict", 10**9, 10**9 + 50, sticky=True)


def test_a_tasks_own_tolerance_needs_equal_types() -> None:
    """atol 1e-4 admits 3.14155 for 3.1416, but no other type that is not exactly equal."""
    assert accepts("evalplus", 3.1416, 3.14155, atol=1e-4)
    assert not accepts("evalplus", 3.1416, 3.1410, atol=1e-4)
    assert not accepts("evalplus", 3.0, 3 + 0j + 1e-9, atol=1e-4)
    assert accepts("strict", 3.1416, 3.14155, atol=1e-4)


def test_an_empty_broadcast_passes_only_with_evalplus() -> None:
    """[[]] is no answer where [3.0] is expected."""
    assert accepts("evalplus", [3.0], [[]])
    assert not accepts("strict", [3.0], [[]])


@pytest.mark.parametrize("name", sorted(SET_TASKS))
def test_set_tasks_ignore_order_duplicates_and_container(name: str) -> None:
    """Elements must be hashable; in HumanEval+ the name means nothing."""
    for comparator in ("evalplus", "strict"):
        assert accepts(comparator, (4, 5), [5, 4, 4], entry_point=name)
        assert not accepts(comparator, (4, 5), [[4], [5]], entry_point=name)
        assert not accepts(comparator, (4, 5), [4], entry_point=name)
        assert not accepts(comparator, (4, 5), [5, 4, 4], entry_point=name, suite="humaneval+")


@pytest.mark.parametrize("name", sorted(NOT_NONE_TASKS))
def test_not_none_tasks(name: str) -> None:
    """A bool must be the expected one; anything else counts as "not None"."""
    for comparator in ("evalplus", "strict"):
        assert accepts(comparator, True, True, entry_point=name)
        assert not accepts(comparator, True, False, entry_point=name)
        assert accepts(comparator, True, Opaque("re.Match"), entry_point=name)
        assert accepts(comparator, False, None, entry_point=name)
        assert not accepts(comparator, False, 0, entry_point=name)


def test_tasks_with_a_second_right_answer() -> None:
    """Mbpp/581 reads "height" in two ways, Mbpp/558 may pad with zeros."""
    for comparator in ("evalplus", "strict"):
        assert accepts(comparator, 33, 1, entry_point="digit_distance_nums", arguments=(1, 2))
        assert not accepts(comparator, 33, 2, entry_point="digit_distance_nums", arguments=(1, 2))
        assert accepts(comparator, 33, 35, entry_point="surface_Area", arguments=(3, 4))
        assert not accepts(comparator, 33, 34, entry_point="surface_Area", arguments=(3, 4))
