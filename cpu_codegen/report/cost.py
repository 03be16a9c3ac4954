"""What answers cost: throughput, latency, memory, seconds and correct programs per hour and per watt-hour (contracts §6).

Seconds are Σ cost_s (each engine step shared among the sequences in it) plus one model load in proportion; never sums of decode
seconds, which overlap in a batch. Scoring and measuring are not in them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.schema import Outcome
from cpu_codegen.stats import median

BATCHED = "batched: see bench"


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one group of samples. None = not measured; `ttft_why`, `energy_why` say why.

    `tokens_per_s` is throughput: completion tokens over busy engine seconds, prompts included. `seconds_per_problem` is that of one
    answer to one problem, with its share of one model load. `left_out` answers were taken over from a run of another width: they
    are in pass@1, their passes and their seconds are not in here.
    """

    tokens_per_s: float | None
    ttft_s: float | None
    ttft_why: str
    peak_rss_bytes: int | None
    seconds_per_problem: float | None
    correct_per_hour: float | None
    correct_per_wh: float | None
    energy_why: str
    width: int | None
    left_out: int = 0


def one_load_s(manifest: dict[str, Any]) -> float:
    """Seconds of one model load: the median over the sessions that loaded one, 0 where none says."""
    loads = [session["load_s"] for session in manifest.get("sessions", []) if session.get("load_s")]
    return median(loads) if loads else 0.0


def cost_of(
    samples: Sequence[dict[str, Any]],
    judged: Sequence[dict[str, Any]],
    *,
    passed: int,
    load_s: float,
    manifest: dict[str, Any],
) -> Cost:
    """The cost of these samples; `load_s` is their share of one model load. Rates of correct programs are those of the judged."""
    every, samples = samples, rated(samples)
    if len(samples) < len(every):
        kept = {id(sample) for sample in samples}
        passed -= sum(s["outcome"] == Outcome.PASSED for s in judged if id(s) not in kept)
        judged = [sample for sample in judged if id(sample) in kept]
    busy_s, judged_s = busy_seconds(samples), busy_seconds(judged)
    seconds = busy_s + load_s
    tokens = sum(s.get("completion_tokens") or 0 for s in samples)
    peaks = [s["peak_rss_bytes"] for s in samples if s.get("peak_rss_bytes")]
    widths = {s.get("width") or 1 for s in samples}
    ttft_s, ttft_why = _ttft(samples, widths)
    per_wh, energy_why = _per_watt_hour(judged, passed, manifest)
    return Cost(
        tokens_per_s=tokens / busy_s if busy_s > 0 else None,
        ttft_s=ttft_s,
        ttft_why=ttft_why,
        peak_rss_bytes=max(peaks, default=None),
        seconds_per_problem=seconds / len(samples) if busy_s > 0 and samples else None,
        correct_per_hour=passed * 3600 / (judged_s + load_s * judged_s / busy_s) if judged_s > 0 else None,
        correct_per_wh=per_wh,
        energy_why=energy_why,
        width=max(widths, default=None),
        left_out=len(every) - len(samples),
    )


def rated(samples: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Those whose seconds, joules and memory say something of their run; load_samples marks the others (contracts §6)."""
    return [sample for sample in samples if not sample.get("other_width")]


def is_of_other_width(sample: dict[str, Any], widths: set[int]) -> bool:
    """Whether it was taken over from a run that decoded more or fewer sequences together than this one does."""
    return bool(sample.get("reused_from")) and (sample.get("width") or 1) not in widths


def widths_of(generations: Sequence[dict[str, Any]]) -> set[int]:
    """The widths at which a run itself has generated; of one that took over all its answers the most common of theirs."""
    own = {record.get("width") or 1 for record in generations if not record.get("reused_from")}
    counts = Counter(record.get("width") or 1 for record in generations)
    return own or {width for width, _ in counts.most_common(1)}


def busy_seconds(samples: Sequence[dict[str, Any]]) -> float:
    """Σ cost_s."""
    return math.fsum(s.get("cost_s") or 0.0 for s in samples)


def _ttft(samples: Sequence[dict[str, Any]], widths: set[int]) -> tuple[float | None, str]:
    """The median time to first token, which says something only where one stream ran alone."""
    if widths != {1}:
        return None, BATCHED
    times = [s["ttft_s"] for s in samples if s.get("ttft_s") is not None]
    return (median(times), "") if times else (None, "not measured: the engine gave no time to first token")


def _per_watt_hour(
    samples: Sequence[dict[str, Any]], passed: int, manifest: dict[str, Any]
) -> tuple[float | None, str]:
    joules = [s["energy_j"] for s in samples if s.get("energy_j") is not None]
    if joules and len(joules) == len(samples) and sum(joules) > 0:
        return passed * 3600 / math.fsum(joules), ""
    machine = manifest.get("machine", {})
    if joules:
        return None, f"not measured: {len(joules)} of {len(samples)} answers have an energy reading"
    return None, f"not measured: {machine.get('energy_why') or 'no readable counter'}"
