"""Units of `--require`: how a limit is read and how a figure is written, with its interval."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cpu_codegen.errors import UsageError
from cpu_codegen.sizes import format_bytes, parse_bytes


class Unit(StrEnum):
    """What a limit counts."""

    BYTES = "bytes"
    SECONDS = "seconds"
    WATT_HOURS = "watt-hours"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Style:
    """One unit for people: `show` a value, `bare` an end of an interval, `limit` a limit, which is exact."""

    noun: str
    examples: str
    show: Callable[[float], str]
    bare: Callable[[float], str]
    limit: Callable[[float], str]

    def interval(self, low: float, high: float) -> str:
        """`[44, 68]`; an end that the data do not bound reads inf."""
        return f"[{self._end(low)}, {self._end(high)}]"

    def _end(self, value: float) -> str:
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return self.bare(value)


_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_SUFFIXES: dict[Unit, dict[str, float]] = {
    Unit.SECONDS: {"": 1.0, "ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0},
    Unit.WATT_HOURS: {"": 1.0, "mwh": 0.001, "wh": 1.0, "kwh": 1000.0},
    Unit.SHARE: {"": 1.0, "%": 0.01},
}
_WORDS = re.compile(rf"{_NUMBER}\s*([A-Za-z%]*)")


def parse_value(text: str, unit: Unit) -> float | None:
    """A limit in its base unit; None for what is no such value. A share lies between 0 and 1 (0 % and 100 %)."""
    if unit is Unit.BYTES:
        try:
            return float(parse_bytes(text))
        except UsageError:
            return None
    match = _WORDS.fullmatch(text)
    factor = _SUFFIXES[unit].get(match[2].lower()) if match else None
    if match is None or factor is None:
        return None
    value = float(match[1]) * factor
    return None if unit is Unit.SHARE and value > 1 else value


def _figures(value: float) -> str:
    """Three figures at most, without needless zeros: 0.42, 5, 61.3, 1240."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}"


UNITS: dict[Unit, Style] = {
    Unit.BYTES: Style("size", "2G (10⁹ bytes each), 2Gi (2³⁰) or 512M", format_bytes, format_bytes, format_bytes),
    Unit.SECONDS: Style("time", "5s, 500ms or 2min", lambda v: f"{_figures(v)} s", _figures, lambda v: f"{v:g} s"),
    Unit.WATT_HOURS: Style(
        "energy", "1, 1Wh or 500mWh", lambda v: f"{_figures(v)} Wh", _figures, lambda v: f"{v:g} Wh"
    ),
    Unit.SHARE: Style(
        "share", "0.5 or 50%", lambda v: f"{_percent(v)} %", _percent, lambda v: f"{round(100 * v, 6):g} %"
    ),
}
