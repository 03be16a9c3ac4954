"""Joins the columns of a run folder into one record per sample, for people and for the page."""

from __future__ import annotations

from typing import Any

from cpu_codegen.report.cost import is_of_other_width, widths_of
from cpu_codegen.store import RunFolder

_OTHER_MEANING = ("key", "generation", "peak_rss_bytes", "start_offset_s")
"""Fields of a result that say something else than those of a generation by the same name."""


def latest_results(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """The current result of each generation (the later line wins)."""
    return {record["generation"]: record for record in folder.read("results")}


def latest_efficiency(folder: RunFolder) -> dict[str, dict[str, Any]]:
    """The current measurement of each generation (the later line wins)."""
    return {record["generation"]: record for record in folder.read("efficiency")}


def load_samples(folder: RunFolder) -> list[dict[str, Any]]:
    """One record per generation: its fields, its result's, its prompt's text, its measurement under `efficiency`.

    Samples without a verdict have outcome None. `other_width`: taken over from a run of another width, so that its cost is none of
    this run's. The order is that of the run.
    """
    results, measured = latest_results(folder), latest_efficiency(folder)
    prompts = {(p["problem_id"], p["style"], p["hash"]): p["text"] for p in folder.read("prompts")}
    empty: dict[str, Any] = {
        "outcome": None,
        "detail": "",
        "message": "",
        "code": "",
        "failure": None,
        "tests_total": 0,
        "tests_passed": 0,
        "format_ok": False,
    }
    generations = list(folder.read("generations"))
    widths = widths_of(generations)
    samples = []
    for generation in generations:
        key = generation["key"]
        result = {k: v for k, v in results.get(key, empty).items() if k not in _OTHER_MEANING}
        peak = results.get(key, {}).get("peak_rss_bytes")
        samples.append(
            {
                **generation,
                **result,
                **({"other_width": True} if is_of_other_width(generation, widths) else {}),
                "program_peak_rss_bytes": peak,
                "prompt": prompts.get((generation["problem_id"], generation["style"], generation["prompt_hash"]), ""),
                "efficiency": measured.get(key),
            }
        )
    order = {p: i for i, p in enumerate(folder.manifest().get("scope", {}).get("problems", []))}
    return sorted(samples, key=lambda s: (order.get(s["problem_id"], len(order)), s["style"], s["index"]))
