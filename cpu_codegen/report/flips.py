"""Verdicts (and texts) that chance alone changed: a run beside the same problems asked again (`run --stability N`).

Not covered: runs made apart that differ in seed or width alone; `compare` counts the flips of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.report.rates import Sample, paired
from cpu_codegen.report.same_texts import SameTexts, same_texts
from cpu_codegen.report.samples import load_samples
from cpu_codegen.store import RunFolder

AGAIN = "again"
"""The second run's folder, inside the first one's."""


@dataclass(frozen=True, slots=True)
class Flips:
    """Of `problems` answered twice in one style, `flips` changed their verdict; `differs` is what was changed on purpose.

    `texts` says how far greedy answers stayed the same; None where they were drawn anew.
    """

    suite: str
    style: str
    problems: int
    flips: int
    differs: str
    texts: SameTexts | None = None


def flips_of(path: Path, manifest: dict[str, Any], samples: Sequence[Sample]) -> list[Flips]:
    """Per suite and style; [] for a run that was not asked again."""
    folder = RunFolder(path / AGAIN)
    if not folder.has_manifest:
        return []
    second = load_samples(folder)
    differs, found = _differs(manifest, folder.manifest()), []
    for suite, style in dict.fromkeys((s["suite"], s["style"]) for s in second):
        ours, theirs = ([s for s in each if (s["suite"], s["style"]) == (suite, style)] for each in (second, samples))
        pair = paired(ours, theirs, suite=suite, style=style, baseline=style)
        if pair is not None:
            texts = None if differs.startswith("seed") else same_texts(theirs, ours)
            found.append(Flips(suite, style, pair.n - pair.unknown, pair.b + pair.c, differs, texts))
    return found


def _differs(first: dict[str, Any], second: dict[str, Any]) -> str:
    """`seed 0 v 1`, `width 16 v 1`."""
    for name, values in (
        ("seed", [m.get("settings", {}).get("seed") for m in (first, second)]),
        ("width", [next((s["width"] for s in m.get("sessions", []) if s.get("width")), None) for m in (first, second)]),
    ):
        if values[0] != values[1]:
            return f"{name} {values[0]} v {values[1]}"
    return "nothing but chance"


def flips_line(flips: Flips) -> str:
    """`asked again with width 16 v 1: 1 of 12 problems (lowcost60, plain) changed its verdict; texts: 1 of 12 differ: …`."""
    of = f"{flips.flips} of {count_of(flips.problems, 'problem')} ({flips.suite}, {flips.style})"
    texts = "" if flips.texts is None else f"; texts: {flips.texts.sentence()}"
    return f"asked again with {flips.differs}: {of} changed {'its' if flips.flips == 1 else 'their'} verdict{texts}"
