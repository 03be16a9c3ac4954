"""When is an output of HumanEval+ or MBPP+ right? Two rules over the same expected values.

    evalplus  EvalPlus's rule to the letter (its HEAD of October 2025), flaws included: == as Python has it (1 == 1.0 == True), a
              tolerance that stays on once a float was expected, numpy's broadcasts, arguments as the program left them
    strict    a careful person's reading: types count, the tolerance is for floats only, arguments as they were given

Both know the tasks that have several right answers (the oracles). A comparison that raises is not right; the caller sees to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from cpu_codegen.judging.equality import same
from cpu_codegen.judging.tolerance import RELATIVE, all_close

Comparator = Literal["evalplus", "strict"]

STICKY_ATOL = 1e-6
NOT_NONE_TASKS = frozenset(("check_str", "text_match_three", "text_starta_endb"))
SET_TASKS = frozenset(
    """
    similar_elements find_char_long common_in_nested_lists extract_singly larg_nnum intersection_array find_dissimilar Diff
    """.split()
)
_FIND_ZERO, _SURFACE, _DIGITS = "find_zero", "surface_Area", "digit_distance_nums"


def is_floats(value: Any) -> bool:
    """EvalPlus's test for its tolerance: a float, or a non-empty list or tuple of floats, or an array of them."""
    if isinstance(value, float):
        return True
    if isinstance(value, list | tuple) and value:
        return all(isinstance(item, float) for item in value)
    return type(value).__name__ == "ndarray" and value.dtype.name in ("float64", "float32")


def needs_arguments(suite: str, entry_point: str) -> bool:
    """HumanEval/32 has no expected values: an output is right when the polynomial is near zero there."""
    return suite == "humaneval+" and entry_point == _FIND_ZERO


class Rule:
    """One comparator for one task. `is_set` tasks compare sets of elements."""

    def __init__(self, comparator: Comparator, suite: str, entry_point: str, atol: float) -> None:
        self.is_strict = comparator == "strict"
        self.atol = atol
        is_mbpp = suite == "mbpp+"
        self.needs_arguments = needs_arguments(suite, entry_point)
        self.is_set = is_mbpp and entry_point in SET_TASKS
        self.is_not_none = is_mbpp and entry_point in NOT_NONE_TASKS
        self.oracle = entry_point if is_mbpp else ""

    def accepts(self, arguments: Sequence[Any], expected: Any, output: Any, *, is_sticky: bool) -> bool:
        """Is the output right? `is_sticky`: a float was expected in this part so far. Raises on what cannot be compared."""
        if self.needs_arguments:
            (coefficients,) = arguments
            return bool(abs(_poly(coefficients, output)) <= self.atol)
        if self.is_not_none:
            return bool(output == expected if isinstance(output, bool) else expected == (output is not None))
        if self.is_strict:
            return self._strictly(arguments, expected, output)
        exact = output == expected
        if self.oracle == _SURFACE:
            exact = exact or abs(output - _surface_area(*arguments)) <= self.atol
        elif self.oracle == _DIGITS:
            exact = exact or output == _digit_distance(*arguments)
        elif self.is_set:
            exact = set(output) == set(expected)
        return self._within(expected, output, exact=bool(exact), is_sticky=is_sticky)

    def accepts_pieces(self, expected: Iterable[Any], output: Iterable[Any], *, is_sticky: bool) -> bool:
        """The same for slices of two large values of one kind and length."""
        if self.is_set:
            return _union(expected) == _union(output)
        if self.is_strict:
            return all(self._same(one, other) for one, other in zip(expected, output, strict=True))
        return all(
            self._within(one, other, exact=one == other, is_sticky=is_sticky)
            for one, other in zip(expected, output, strict=True)
        )

    def _within(self, expected: Any, output: Any, *, exact: bool, is_sticky: bool) -> bool:
        atol = self.atol or (STICKY_ATOL if is_sticky else 0.0)
        if exact or atol == 0:
            return exact
        if type(output) is not type(expected):
            return False
        if isinstance(expected, list | tuple) and len(output) != len(expected):
            return False
        return all_close(output, expected, atol)

    def _strictly(self, arguments: Sequence[Any], expected: Any, output: Any) -> bool:
        if self.is_set:
            return isinstance(output, list | tuple | set | frozenset) and self._same(set(expected), set(output))
        if self._same(expected, output):
            return True
        if self.oracle == _SURFACE:
            return self._same(_surface_area(*arguments), output)
        return self.oracle == _DIGITS and self._same(_digit_distance(*arguments), output)

    def _same(self, expected: Any, output: Any) -> bool:
        return same(expected, output, max(self.atol, STICKY_ATOL), RELATIVE)


def _union(pieces: Iterable[Any]) -> set[Any]:
    found: set[Any] = set()
    for piece in pieces:
        found.update(piece)
    return found


def _poly(xs: Sequence[Any], x: Any) -> Any:
    """HumanEval/32: the value of the polynomial with coefficients xs at x; whatever the program made of them."""
    return sum(coefficient * math.pow(x, i) for i, coefficient in enumerate(xs))


def _surface_area(base_edge: float, height: float) -> int:
    """Mbpp/581: the height read as the pyramid's own, not its sides'."""
    slant = math.sqrt((base_edge / 2) ** 2 + height**2)
    return round(base_edge**2 + 4 * (base_edge * slant) / 2)


def _digit_distance(one: Any, other: Any) -> int:
    """Mbpp/558: the numbers padded to one length."""
    first, second = str(one), str(other)
    width = max(len(first), len(second))
    return sum(abs(int(a) - int(b)) for a, b in zip(first.zfill(width), second.zfill(width), strict=True))
