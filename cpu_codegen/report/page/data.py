"""Summaries and samples → the compact object that the page carries: every text once, code as a part of its answer where it is one.

Foreign text is made visible (control, bidirectional characters) here, so that the page's script never meets it raw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath, PureWindowsPath
from typing import Any

from cpu_codegen.compare_factors import family, quantization
from cpu_codegen.fidelity.find import ladders_of
from cpu_codegen.fidelity.steps import Ladder
from cpu_codegen.fidelity.tables import record as fidelity_record
from cpu_codegen.report.advice import Row
from cpu_codegen.report.escape import visible
from cpu_codegen.report.kinds import commonest_kinds, error_kind
from cpu_codegen.report.lengths import length_records, thirds
from cpu_codegen.report.overview import is_demo
from cpu_codegen.report.page.measured import efficiency_rows, sample_efficiency
from cpu_codegen.report.rates import paired
from cpu_codegen.report.records import cell_record, pair_record
from cpu_codegen.report.references import Reference
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.schema import LEVELS

CUT = "\n… cut here: {} of {} characters; the whole answer is in generations.jsonl"
FAILURE_LIMITS = (200, 2100)  # characters of a failing input: a tenth of what an answer may have, within these
TASK_LIMIT = 4000  # a statement or a reference is there once for many answers
_PLAIN = (
    "suite",
    "level",
    "style",
    "index",
    "outcome",
    "finish_reason",
    "reasoning_end",
    "format_ok",
    "tests_passed",
    "tests_total",
)
_NUMBERS = (
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "queue_s",
    "prefill_s",
    "decode_s",
    "ttft_s",
    "cost_s",
    "start_offset_s",
    "width",
    "peak_rss_bytes",
    "cpu_s",
    "wall_s",
    "program_peak_rss_bytes",
    "energy_j",
)


class Strings:
    """Each distinct text once; `put` gives its number. Texts longer than `limit` characters are cut, and say so."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def put(self, text: str, *, least: int = 0) -> int:
        """The number of this text, of which at least so many characters are kept."""
        shown = self.shown(text, least=least)
        number = self._numbers.setdefault(shown, len(self.texts))
        if number == len(self.texts):
            self.texts.append(shown)
        return number

    def shown(self, text: str, *, least: int = 0) -> str:
        """The text as the page will hold it."""
        limit = max(self.limit, least)
        return visible(text) if len(text) <= limit else visible(text[:limit]) + CUT.format(limit, len(text))

    def failure(self, text: str) -> str:
        """What a failing test says, cut where the page has little room for each answer."""
        limit = min(max(self.limit // 10, FAILURE_LIMITS[0]), FAILURE_LIMITS[1])
        return visible(text) if len(text) <= limit else visible(text[:limit]) + " …"


def page_figures(
    summaries: Sequence[RunSummary], known: dict[str, Reference], advised: Row | None = None
) -> dict[str, Any]:
    """The numbers: all that does not depend on where long answers are cut. `known`: the references at hand."""
    numbered = list(enumerate(summaries))
    rows = [
        {"run": i, "suite": c.suite, "style": c.style}
        for i, s in numbered
        for c in s.overall()
        if advised and c is advised.cell
    ]
    return {
        "runs": [_run(summary) for summary in summaries],
        "cells": [{"run": i, **cell_record(c)} for i, summary in numbered for c in summary.cells],
        "pairs": [pair for i, summary in numbered for pair in _pairs(summary, i)],
        "fidelity": _fidelity(summaries),
        "efficiency": [rounded(row) for i, summary in numbered for row in efficiency_rows(summary, i)],
        "lengths": [row for i, summary in numbered for row in _lengths(summary, i, known)],
        "kinds": commonest_kinds(summaries),
        "levels": list(LEVELS),
        "advised": rows[0] if rows else None,
    }


def page_texts(summaries: Sequence[RunSummary], known: dict[str, Reference], *, limit: int) -> dict[str, Any]:
    """Problems and samples with their texts; answers longer than `limit` characters are cut."""
    strings = Strings(limit)
    return {
        "problems": _problems(summaries, known, strings),
        "samples": [_sample(s, run, strings) for run, summary in enumerate(summaries) for s in summary.samples],
        "strings": strings.texts,
    }


def _run(summary: RunSummary) -> dict[str, Any]:
    manifest, model = summary.manifest, summary.manifest.get("model", {})
    return {
        "name": visible(summary.name),
        "model": visible(summary.model),
        "alias": visible(str(model.get("alias") or "")),
        "quant": visible(quantization(_with_name(model)).lower()),
        "family": visible(family(_with_name(model))),
        "file_bytes": model.get("size_bytes"),
        "machine": (manifest.get("machine") or {}).get("id") or "",
        "demo": is_demo(summary),
        "stopped": summary.stop is not None,
    }


def _with_name(model: dict[str, Any]) -> dict[str, Any]:
    """The model's part of a manifest with a file's name in place of its path: files of one family may lie in two folders."""
    name = PureWindowsPath(PurePath(str(model.get("name") or "")).name).name
    return {"model": {**model, "name": name}}


def _pairs(summary: RunSummary, run: int) -> Iterator[dict[str, Any]]:
    """Every pair of styles, and the same by level; those have intervals and no verdict: each look is one more to be wrong at."""
    for pair in summary.pairs:
        yield {"run": run, "level": "all", **pair_record(pair)}
        for level in LEVELS:
            ours, theirs = (
                [
                    s
                    for s in [*summary.samples, *summary.unfinished]
                    if (s["suite"], s["style"], s.get("level")) == group
                ]
                for group in ((pair.suite, style, level) for style in (pair.style, pair.baseline))
            )
            found = paired(ours, theirs, suite=pair.suite, style=pair.style, baseline=pair.baseline)
            if found is not None:
                yield {"run": run, "level": level, **pair_record(found), "verdict": None}


def _lengths(summary: RunSummary, run: int, known: dict[str, Reference]) -> Iterator[dict[str, Any]]:
    """Passed of n by the length of the reference, per suite and style."""
    parts = thirds(known)
    for cell in summary.overall() if parts else ():
        samples = [s for s in summary.samples if (s["suite"], s["style"]) == (cell.suite, cell.style)]
        yield {"run": run, "suite": cell.suite, "style": cell.style, "thirds": length_records(samples, known, parts)}


def _fidelity(summaries: Sequence[RunSummary]) -> list[dict[str, Any]]:
    """The ladders of these models; a step's `run` leads to its samples."""
    digests = [str((summary.manifest.get("model") or {}).get("sha256") or "") for summary in summaries]
    return [
        _ladder(ladder, digests)
        for ladder in ladders_of([(s.path, digest) for s, digest in zip(summaries, digests, strict=True)])
    ]


def _ladder(ladder: Ladder, digests: list[str]) -> dict[str, Any]:
    facts = fidelity_record(ladder)
    base, steps = facts.pop("base"), facts.pop("steps")
    del facts["builds"], facts["notes"]
    for step in steps:
        step["run"] = digests.index(step["sha256"]) if step["sha256"] in digests else None
    named = {"base": base["name"], "base_bytes": base["size_bytes"], "base_sha256": base["sha256"]}
    shown: dict[str, Any] = rounded({**facts, **named})
    return {**shown, "steps": [rounded(step) for step in steps], "notes": [visible(note) for note in ladder.notes]}


def _problems(summaries: Sequence[RunSummary], known: dict[str, Reference], strings: Strings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sample in (s for summary in summaries for s in summary.samples):
        name = f"{sample['suite']} {sample['problem_id']}"  # two suites may share ids (humaneval, humaneval+)
        if name not in found:
            reference = known.get(name)
            found[name] = {"level": sample["level"]}
            if reference is not None:
                found[name] |= {
                    "title": reference.title,
                    "statement": strings.put(reference.statement, least=TASK_LIMIT),
                    "reference": strings.put(reference.solution, least=TASK_LIMIT),
                    "lines": reference.lines,
                }
    return found


def _sample(sample: dict[str, Any], run: int, strings: Strings) -> dict[str, Any]:
    text = strings.shown(sample["text"])
    return {
        "run": run,
        "problem": sample["problem_id"],
        **{name: sample.get(name) for name in _PLAIN},
        **{name: rounded(sample[name]) for name in _NUMBERS if sample.get(name) is not None},
        "detail": visible(sample.get("detail") or ""),
        "message": strings.failure(sample.get("message") or ""),
        "kind": error_kind(sample),
        "failure": {k: strings.failure(str(v)) for k, v in (sample.get("failure") or {}).items()} or None,
        "text": strings.put(sample["text"]),
        "code": _code(sample.get("code") or "", text, strings),
        "prompt": strings.put(sample.get("prompt") or ""),
        "efficiency": rounded(sample_efficiency(sample.get("efficiency"))),
    }


def _code(code: str, text: str, strings: Strings) -> int | list[int] | None:
    """[start, length] where the code is a part of the shown answer, else the number of a text; None without code."""
    if not code:
        return None
    shown = strings.shown(code)
    start = text.find(shown)
    return [utf16(text[:start]), utf16(shown)] if start >= 0 else strings.put(code)


def utf16(text: str) -> int:
    """The length of a text as JavaScript counts it."""
    return len(text) if text.isascii() else len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def rounded(value: Any) -> Any:
    """Floats to five significant figures: the page shows three. Texts are cut and made visible."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {visible(str(name)): rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return visible(value[:500]) if isinstance(value, str) else value
