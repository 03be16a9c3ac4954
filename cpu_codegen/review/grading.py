"""Who grades what next, and the points given so far; of one run, or of all runs of a group together, so that no model is graded
by a tired reviewer and which one answered is not seen in the order.

Each reviewer sees the answers in a random order of their own, the same on every day, so that grading can stop and go on and no
problem is always graded by tired eyes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cpu_codegen.errors import UsageError, to_paste
from cpu_codegen.numbered_lines import Line
from cpu_codegen.report.samples import load_samples
from cpu_codegen.review.rubric import Rubric
from cpu_codegen.store import RunFolder

Sample = dict[str, Any]
Grade = dict[str, Any]
GRADE_SHAPE = '{"generation": "…", "points": {…}}, with a "note" or without'


@dataclass(frozen=True, slots=True)
class Grading:
    """One reviewer's work on some runs. `blind` hides the tests' outcome until points are given."""

    paths: tuple[Path, ...]
    reviewer: str
    rubric: Rubric
    samples: list[Sample]
    blind: bool = False

    def left(self) -> list[Sample]:
        """What this reviewer has not graded by this rubric yet, in their order."""
        done = {g["generation"] for g in self.grades() if g["reviewer"] == self.reviewer}
        return [sample for sample in self._ordered() if sample["key"] not in done]

    def next(self, after: str = "") -> Sample | None:
        """The first that is left behind the answer of this key; from the beginning again where none is left there."""
        left, keys = self.left(), [sample["key"] for sample in self._ordered()]
        behind = set(keys[keys.index(after) + 1 :]) if after in keys else set(keys)
        return next((sample for sample in left if sample["key"] in behind), left[0] if left else None)

    def _ordered(self) -> list[Sample]:
        ordered = sorted(self.samples, key=lambda s: str(s["key"]))
        random.Random(self.reviewer).shuffle(ordered)
        return ordered

    def grades(self) -> list[Grade]:
        """All reviewers' grades by this rubric."""
        every = [grade for path in self.paths for grade in read_grades(path)]
        known = {(g["reviewer"], g["generation"]): g for g in every if g["rubric"] == self.rubric.hash}
        return list(known.values())

    def give(self, key: str, points: Mapping[str, float], note: str = "") -> None:
        """Stores one grade. UsageError as `check`."""
        sample = self.check(key, points)
        if self.blind and self._own(key) is not None:
            return
        for path in sample["folders"]:
            with RunFolder(path, writable=True) as folder:
                folder.append("reviews", self._record(key, points, note))

    def check(self, key: str, points: Mapping[str, float]) -> Sample:
        """The answer that is graded. UsageError: an unknown one, points that the rubric does not allow, a second blind look."""
        sample = next((sample for sample in self.samples if sample["key"] == key), None)
        if sample is None:
            raise UsageError(
                f"no answer {key[:16]!r} in this run", remedy="cpu-codegen show RUN -o jsonl lists the keys"
            )
        for criterion in self.rubric.criteria:
            if points.get(criterion.name) not in criterion.points:
                allowed = ", ".join(f"{point:g}" for point in criterion.points)
                raise UsageError(f"{criterion.name}: {points.get(criterion.name)} is not allowed", remedy=allowed)
        if self.blind and (known := self._own(key)) is not None and known["points"] != dict(points):
            raise UsageError(
                "these points were given blind, and the outcome has been told since",
                remedy="go on with the next answer; the first points stay",
            )
        return sample

    def _own(self, key: str) -> Grade | None:
        """What this reviewer gave an answer already."""
        return next((g for g in self.grades() if (g["reviewer"], g["generation"]) == (self.reviewer, key)), None)

    def _record(self, key: str, points: Mapping[str, float], note: str) -> Grade:
        return {
            "reviewer": self.reviewer,
            "generation": key,
            "rubric": self.rubric.hash,
            "points": {criterion.name: points[criterion.name] for criterion in self.rubric.criteria},
            "note": note[:2000],
            "blind": self.blind,
            "utc": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def open_grading(
    paths: Sequence[Path], *, reviewer: str, rubric: Rubric, blind: bool = False, styles: Iterable[str] = ()
) -> Grading:
    """The grading of the answers of one run or of several, of some styles or of all."""
    if not reviewer.strip() or reviewer == "tests":
        raise UsageError(f"{reviewer!r} is no reviewer's name", remedy="--reviewer with another name")
    samples = _samples(paths, set(styles))
    if not samples:
        raise UsageError(f"{paths[0]} holds no such answers", remedy=to_paste("show", paths[0]))
    return Grading(tuple(paths), reviewer, rubric, samples, blind)


def _samples(paths: Sequence[Path], styles: set[str]) -> list[Sample]:
    """Each answer once, with the folders that hold it: one file under two names gives two runs with the same answers."""
    found: dict[str, Sample] = {}
    for path in paths:
        for sample in load_samples(RunFolder(path)):
            if not styles or sample["style"] in styles:
                found.setdefault(sample["key"], {**sample, "folders": []})["folders"].append(path)
    return list(found.values())


def read_grades(path: Path) -> list[Grade]:
    """The current grades of a run: the later line of one reviewer, answer and rubric wins."""
    records = RunFolder(path).read("reviews")
    return list({(r["reviewer"], r["generation"], r["rubric"]): r for r in records}.values())


def import_grades(grading: Grading, lines: Iterable[Line]) -> int:
    """Points made elsewhere (a model's, say) as one more reviewer's: how many. A file with any bad line is refused as a whole."""
    found = [_grade(grading, line) for line in lines]
    for key, points, note in found:
        grading.give(key, points, note)
    return len(found)


def _grade(grading: Grading, line: Line) -> tuple[str, dict[str, float], str]:
    """Answer, points and note of one line. UsageError with its number."""
    record = line.record()
    key, points = record.get("generation"), record.get("points")
    if not isinstance(points, Mapping) or not isinstance(key, str):
        line.refuse("no generation or no points", GRADE_SHAPE)
    numbers = {name: float(value) for name, value in points.items() if isinstance(value, int | float)}
    try:
        grading.check(key, numbers)
    except UsageError as error:
        line.refuse(str(error), error.remedy or GRADE_SHAPE)
    return key, numbers, str(record.get("note") or "")
