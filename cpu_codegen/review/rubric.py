"""A rubric: criteria with the points that each allows. The survey's: code right 0, 0.5 or 1, output format kept 0 or 1, a note."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.errors import UsageError
from cpu_codegen.store import digest

REMEDY = "see docs/review.md: criteria, each with name, question and points"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question. The highest of `points` means wholly fulfilled."""

    name: str
    question: str
    points: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rubric:
    """Criteria in order; the first is the one that is held against the tests."""

    criteria: tuple[Criterion, ...]

    @property
    def hash(self) -> str:
        """Tells grades by other rubrics apart."""
        return digest([[c.name, c.question, list(c.points)] for c in self.criteria])


DEFAULT = Rubric(
    (
        Criterion("correct", "Is the code correct? 0 no, 0.5 nearly, 1 yes", (0.0, 0.5, 1.0)),
        Criterion("format", "Does the answer keep the output format (one fenced block)? 0 no, 1 yes", (0.0, 1.0)),
    )
)


def load_rubric(path: Path | None) -> Rubric:
    """The rubric of a YAML file, or the default. UsageError names what is wrong in the file."""
    if path is None:
        return DEFAULT
    import yaml

    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        entries = value["criteria"]
        criteria = tuple(_criterion(entry) for entry in entries)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", remedy="check the path; docs/review.md shows a rubric"
        ) from error
    except (yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is no rubric: {error}", remedy=REMEDY) from error
    if not criteria or len({c.name for c in criteria}) != len(criteria):
        raise UsageError(f"{path} is no rubric: names must be there and differ", remedy=REMEDY)
    return Rubric(criteria)


def _criterion(entry: dict[str, Any]) -> Criterion:
    points = tuple(sorted({float(point) for point in entry["points"]}))
    name = str(entry["name"])
    if len(points) < 2:
        raise ValueError(f"{name} needs at least two different points")
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no plain word")
    return Criterion(name, str(entry.get("question") or name), points)
