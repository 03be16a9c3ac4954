"""The text of a `--require` → its terms; what cannot be read is refused with its position and the known names. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from cpu_codegen.errors import UsageError
from cpu_codegen.requirement_units import UNITS, Unit, parse_value

NAMES = {
    "ram": Unit.BYTES,  # peak resident memory of the engine
    "ttft": Unit.SECONDS,  # time to first token at one stream, median
    "ttft_p95": Unit.SECONDS,
    "s_per_problem": Unit.SECONDS,  # mean, a share of one model load included
    "wh_per_problem": Unit.WATT_HOURS,  # mean
}
KNOWN = "ram, ttft, ttft_p95, pass@K, s_per_problem, wh_per_problem"
SHAPE = "NAME<LIMIT or NAME>LIMIT, by comma; pass@1[SUITE,STYLE]>0.5, ram<2G, ttft<5s"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:@\d*)?")
_PASS = re.compile(r"pass@([1-9]\d{0,5})")
_OPERATOR = re.compile(r"[<>]=?|=+|≤|≥")
_OPERATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "≤": "<=", "≥": ">="}
_SELECTOR = re.compile(r"[^\[\],<>=]*")
_VALUE = re.compile(r"[^,\[\]<>]*")
_FIRST_WORD = re.compile(r"[^\s,\[\]<>]*")


@dataclass(frozen=True, slots=True)
class Term:
    """One requirement. `limit` in the name's unit; `selectors`: words that suite, style or level must be among; `text` as typed."""

    name: str
    operator: str
    limit: float
    text: str
    selectors: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        """What the limit counts."""
        return NAMES.get(self.name, Unit.SHARE)

    @property
    def k(self) -> int:
        """The k of pass@k, 0 for others."""
        match = _PASS.fullmatch(self.name)
        return int(match[1]) if match else 0

    @property
    def wants_less(self) -> bool:
        """Whether smaller is better."""
        return self.operator.startswith("<")

    def holds(self, value: float) -> bool:
        """Does one value meet the limit?"""
        if self.wants_less:
            return value < self.limit or (self.operator == "<=" and value == self.limit)
        return value > self.limit or (self.operator == ">=" and value == self.limit)


def parse_requirements(text: str) -> tuple[Term, ...]:
    """The terms of a `--require`. UsageError (exit 2) with the position of what cannot be read, and the known names."""
    return _Reader(text).terms()


class _Reader:
    """A cursor over the text; positions in errors count from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def terms(self) -> tuple[Term, ...]:
        """All of them."""
        found = [self._term()]
        while self.at < len(self.text):
            self._expect(",", "a comma between two terms")
            found.append(self._term())
        return tuple(found)

    def _term(self) -> Term:
        self._blanks()
        start = self.at
        name = self._name()
        selectors = self._selectors()
        operator = self._operator(name)
        self._blanks()
        limit = self._limit(name)
        return Term(name, operator, limit, self.text[start : self.at].strip(), selectors)

    def _blanks(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        return match[0] if match else ""

    def _refuse(self, what: str, remedy: str, at: int | None = None) -> NoReturn:
        place = self.at if at is None else at
        shown = f"--require, position {place + 1}: {what}"
        raise UsageError(f"{shown}\n  {self.text}\n  {' ' * place}^", remedy=remedy)

    def _expect(self, character: str, what: str) -> None:
        self._blanks()
        if self.text[self.at : self.at + 1] != character:
            found = self.text[self.at : self.at + 1]
            self._refuse(f"expected {what}" + (f", not {found!r}" if found else ""), SHAPE)
        self.at += 1

    def _name(self) -> str:
        name = self._match(_NAME)
        if not name:
            self._refuse("expected a name" if self.at < len(self.text) else "a term is missing", f"one of {KNOWN}")
        if name not in NAMES and not _PASS.fullmatch(name):
            self._refuse(f"{name!r} is not known", f"one of {KNOWN}")
        self.at += len(name)
        return name

    def _selectors(self) -> tuple[str, ...]:
        self._blanks()
        if self.text[self.at : self.at + 1] != "[":
            return ()
        self.at += 1
        found: list[str] = []
        while True:
            word = self._match(_SELECTOR)
            if not word.strip():
                self._refuse("expected a suite, a style or a level", "[lowcost60,plain]")
            found.append(word.strip())
            self.at += len(word)
            if self.text[self.at : self.at + 1] == "]":
                self.at += 1
                return tuple(found)
            self._expect(",", "] or a comma")

    def _operator(self, name: str) -> str:
        self._blanks()
        found = self._match(_OPERATOR)
        if found not in _OPERATORS:
            self._refuse(f"expected < or > after {name}" + (f", not {found!r}" if found else ""), SHAPE)
        self.at += len(found)
        return _OPERATORS[found]

    def _limit(self, name: str) -> float:
        word, start = self._match(_VALUE), self.at
        unit = NAMES.get(name, Unit.SHARE)
        limit = parse_value(word.strip(), unit)
        if limit is None:  # `ram<2G ttft<5s`: the limit is whole, a comma is missing
            first = self._match(_FIRST_WORD)
            limit = parse_value(first, unit)
            word = word if limit is None else first
        if limit is None:
            said = f"{word.strip()!r} is no {UNITS[unit].noun}" if word.strip() else "expected a limit"
            self._refuse(said, f"{UNITS[unit].examples}", start)
        self.at += len(word)
        return limit
