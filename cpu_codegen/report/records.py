"""Summaries as plain records: what `-o json`, `jsonl` and `csv` carry, and what the page embeds."""

from __future__ import annotations

import math
from typing import Any

from cpu_codegen.report.alarm import alarm_records
from cpu_codegen.report.groups import stops_of
from cpu_codegen.report.kinds import kind_records
from cpu_codegen.report.rates import Paired
from cpu_codegen.report.summary import Cell, RunSummary
from cpu_codegen.stats import Estimate
from cpu_codegen.store import plain


def estimate_record(estimate: Estimate | None) -> dict[str, Any] | None:
    """value, low, high, n; an unbounded end is null."""
    if estimate is None:
        return None
    ends = {name: v if math.isfinite(v := getattr(estimate, name)) else None for name in ("low", "high")}
    return {"value": estimate.value, **ends, "n": estimate.n}


def cell_record(cell: Cell) -> dict[str, Any]:
    """One suite × style × level."""
    cost, efficiency = cell.cost, cell.efficiency
    return {
        "suite": cell.suite,
        "style": cell.style,
        "level": cell.level,
        "n": cell.n,
        "problems": cell.problems,
        "passed": cell.passed,
        "pass@1": estimate_record(cell.pass1),
        **{f"pass@{k}": estimate_record(value) for k, value in cell.pass_at.items() if k != 1},
        "outcomes": cell.outcomes,
        "undecided": cell.undecided,
        "unknown": cell.unknown,
        "wanted": cell.wanted,
        "format_ok": estimate_record(cell.format_ok),
        "cut_at_max_tokens": cell.cut,
        "completion_tokens": cell.completion_tokens,
        "reasoning_tokens": cell.reasoning_tokens,
        "reasoning": cell.reasoning.record(),
        "tokens_per_s": cost.tokens_per_s,
        "width": cost.width,
        "left_out_of_rates": cost.left_out,
        "ttft_s": cost.ttft_s,
        "ttft_why": cost.ttft_why,
        "peak_rss_bytes": cost.peak_rss_bytes,
        "seconds_per_problem": cost.seconds_per_problem,
        "correct_per_hour": cost.correct_per_hour,
        "correct_per_wh": cost.correct_per_wh,
        "energy_why": cost.energy_why,
        "efficiency": {
            "cpu_ratio": estimate_record(efficiency.ratio),
            "verdict": efficiency.verdict or None,
            "censored": efficiency.censored,
            "skipped": efficiency.skipped,
            "why": efficiency.why,
        },
    }


def pair_record(pair: Paired) -> dict[str, Any]:
    """One style against the baseline."""
    return {
        "suite": pair.suite,
        "style": pair.style,
        "baseline": pair.baseline,
        "n": pair.n,
        "unknown": pair.unknown,
        "solved_by_style_alone": pair.b,
        "solved_by_baseline_alone": pair.c,
        "difference": estimate_record(pair.difference),
        "p": pair.p,
        "test": pair.test,
        "verdict": pair.verdict.replace(" ", "_"),
    }


def run_record(summary: RunSummary) -> dict[str, Any]:
    """The whole run: folder, settings, groups, pairs."""
    manifest = summary.manifest
    return {
        "run": str(summary.path),
        "status": manifest.get("status"),
        "model": manifest.get("model"),
        "settings": manifest.get("settings"),
        "judging": manifest.get("judging"),
        "groups": [cell_record(cell) for cell in summary.cells],
        "paired": [pair_record(pair) for pair in summary.pairs],
        "failures_by_kind": kind_records(summary),
        "harness_errors": summary.faults,
        "against_published": alarm_records(summary),
        "stopped": plain(summary.stop),
        "stops": plain(stops_of(summary.path)) if summary.stop else [],
        "asked_again": plain(summary.flips),
    }


def flat_record(summary: RunSummary, cell: Cell) -> dict[str, Any]:
    """One line of `-o csv` and `-o jsonl`: a cell without nesting."""
    flat: dict[str, Any] = {"run": summary.name, "model": summary.model, "status": summary.manifest.get("status")}
    flat |= {"stopped_at_look": summary.stop.look if summary.stop else None}
    for name, value in cell_record(cell).items():
        if name == "efficiency":
            ratio = value["cpu_ratio"] or {}
            flat |= {f"cpu_ratio{_suffix(part)}": ratio.get(part) for part in ("value", "low", "high", "n")}
            flat |= {"efficiency_verdict": value["verdict"], "efficiency_why": value["why"]}
        elif name == "reasoning":
            flat |= _flat_reasoning(value)
        elif name == "outcomes":
            flat |= {f"outcome_{outcome}": count for outcome, count in _all_outcomes(value).items()}
        elif name in ("format_ok", "pass@1", "pass@10", "pass@100"):
            flat |= {f"{name}{_suffix(part)}": (value or {}).get(part) for part in ("value", "low", "high")}
        else:
            flat[name] = value
    return flat


def _flat_reasoning(value: dict[str, Any]) -> dict[str, Any]:
    """Without nesting; how reasoning ended is one column an end, so that all rows have the same."""
    flat = {f"reasoning_{name}": value[name] for name in ("answers", "seconds", "share_of_time", "answers_in_loops")}
    flat |= {f"reasoning_ended_{end}": value["ended"].get(end, 0) for end in ("model", "budget", "loop")}
    flat["cut_off"] = value["cut_off"]
    for name in ("share_cut_off", "pass@1_without_cut_off"):
        flat |= {f"{name}{_suffix(part)}": (value[name] or {}).get(part) for part in ("value", "low", "high")}
    return flat | {"pass@1_without_cut_off_is": value["pass@1_without_cut_off_is"]}


def _suffix(part: str) -> str:
    return "" if part == "value" else f"_{part}"


def _all_outcomes(counts: dict[str, int]) -> dict[str, int]:
    from cpu_codegen.schema import Outcome

    return {outcome.value: counts.get(outcome.value, 0) for outcome in Outcome}
