"""The alarm: does a run fall short of what EvalPlus measured of the unquantized model by more than quantization explains?

A complete, greedy, plain run of HumanEval(+) or MBPP(+) is tested, exactly and one-sided (binomial, 1 %), against the lowest
matching EvalPlus row of the original model less an allowance for quantization. When it falls short, the fault is more often in how
the model was run than in the model: the usual causes that the run itself can check are named. Not covered: runs of part of a
suite, sampled runs, models whose original has no EvalPlus row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.models.quants import bits_of
from cpu_codegen.models.spec import ModelSpec, Published
from cpu_codegen.report.rates import Sample, counts
from cpu_codegen.report.summary import Cell, RunSummary
from cpu_codegen.stats.proportions import binomial_cdf

SUITE_SIZES = {"humaneval": 164, "humaneval+": 164, "mbpp": 378, "mbpp+": 378}
LEVEL = 0.01
ALLOWANCES = ((4.0, 3.0), (3.0, 8.0), (0.0, 15.0))
"""Points of pass@1 that quantization may cost, from so many bits up: a policy, not a measurement."""

POLICY = "policy: 3 points from Q4 up, 8 for Q3, 15 below; exact one-sided binomial test at 1 %"
CUT_SHARE, FORMAT_SHARE = 0.02, 0.9


@dataclass(frozen=True, slots=True)
class Alarm:
    """One suite tested. Scores are shares of 1; `floor` = the published score less the allowance; `p` = P(so few or fewer).

    `causes` are the usual ones that this run shows; empty where it shows none.
    """

    suite: str
    passed: int
    n: int
    published: float
    setting: str
    source: str
    allowance: float
    quant: str
    p: float
    causes: tuple[str, ...]

    @property
    def floor(self) -> float:
        """What was tested against."""
        return max(0.0, self.published - self.allowance)

    @property
    def falls_short(self) -> bool:
        """The alarm itself."""
        return self.p < LEVEL

    @property
    def policy(self) -> str:
        """What was compared with what, and by which allowance."""
        return (
            f"lowest EvalPlus row of the unquantized original {100 * self.published:.1f} ({self.setting}) "
            f"less {100 * self.allowance:g} points for {self.quant or 'an unknown quantization'}; {POLICY}"
        )


def allowance(quant: str) -> float:
    """As a share of 1; a file whose name states no quantization gets the widest one."""
    bits = bits_of(quant) or 0.0
    return next(points for least, points in ALLOWANCES if bits >= least) / 100


def alarms(summary: RunSummary) -> list[Alarm]:
    """One for each suite of the run that can be tested."""
    settings, model = summary.manifest.get("settings") or {}, summary.manifest.get("model") or {}
    cells = [cell for cell in summary.overall() if cell.style == "plain" and cell.suite in SUITE_SIZES]
    if not cells or ((settings.get("sampling") or {}).get("temperature") or 0) > 0:
        return []
    spec = known_spec(model)
    found = [_alarm(cell, summary, spec) for cell in cells] if spec is not None and spec.published else []
    return [alarm for alarm in found if alarm is not None]


def known_spec(model: dict[str, Any]) -> ModelSpec | None:
    """The registry's entry of a run's model: by digest, else by alias and quantization."""
    from cpu_codegen.models.catalogue import load_catalogue

    try:
        catalogue = load_catalogue()
    except CpuCodegenError:  # a broken registry of the user's own must not cost the report
        return None
    digest, alias = model.get("sha256"), str(model.get("alias") or "")
    for spec in catalogue.specs():
        if digest and spec.sha256s == (digest,):
            return spec
    quants = catalogue.models.get(alias, {})
    return quants.get(str(model.get("quant") or "")) or next(iter(quants.values()), None)


def _alarm(cell: Cell, summary: RunSummary, spec: ModelSpec) -> Alarm | None:
    """None for a part of a suite, several samples a problem, or without a matching row."""
    samples = [s for s in summary.samples if s["suite"] == cell.suite and s["style"] == "plain"]
    n = SUITE_SIZES[cell.suite]
    if len(samples) != n or cell.problems != n or not all(map(counts, samples)):
        return None
    row = _lowest(spec, cell.suite, completion=all(s.get("is_completion") for s in samples))
    if row is None:
        return None
    quant = str((summary.manifest.get("model") or {}).get("quant") or "")
    published, less = row.scores[cell.suite] / 100, allowance(quant)
    p = binomial_cdf(cell.passed, n, max(0.0, published - less))
    causes = tuple(_causes(samples, summary.manifest, spec)) if p < LEVEL else ()
    return Alarm(cell.suite, cell.passed, n, published, row.setting, row.source, less, quant, p, causes)


def _lowest(spec: ModelSpec, suite: str, *, completion: bool) -> Published | None:
    """The lowest EvalPlus row of the same way of prompting, thinking aside."""
    rows = [
        row
        for row in spec.published
        if row.by_evalplus and suite in row.scores and row.is_completion == completion and not row.thinks
    ]
    return min(rows, key=lambda row: row.scores[suite], default=None)


# ── causes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _causes(samples: list[Sample], manifest: dict[str, Any], spec: ModelSpec) -> Iterator[str]:
    """The usual ones, each with what this run shows of it and what to try."""
    n = len(samples)
    source = str(manifest.get("template_source") or "")
    if source != "gguf":
        yield f"template: not the file's own ({source or 'unknown'}); try a file that carries its chat template"
    cut = sum(s["finish_reason"] == "length" for s in samples)
    if cut > CUT_SHARE * n:
        yield f"truncation: {cut} of {n} answers were cut at --max-tokens; try --max-tokens 4096"
    long = sum(s["finish_reason"] == "prompt_too_long" for s in samples)
    if long:
        yield f"truncation: {long} prompts did not fit the context; try a larger --ctx"
    yield from _stop_causes(samples, n)
    yield from _thinking_causes(samples, n, spec)
    kept = sum(bool(s["format_ok"]) for s in samples)
    no_code = sum(s["outcome"] == "no_code" for s in samples)
    if kept < FORMAT_SHARE * n or no_code > CUT_SHARE * n:
        yield f"format: {n - kept} of {n} answers are not one closed code block, {no_code} hold no code; try --extract evalplus"


def _stop_causes(samples: list[Sample], n: int) -> Iterator[str]:
    loops = sum(s["finish_reason"] == "loop" for s in samples)
    if loops:
        were = f"{count_of(n, 'answer')} {'was' if loops == 1 else 'were'}"
        yield f"stop rule: {loops} of {were} ended as loops; look at them with show, try --no-loop-stop"
    stopped = [s for s in samples if s["finish_reason"] in ("answer_complete", "stop_string")]
    broken = sum(s["outcome"] in ("syntax", "error") for s in stopped)
    if broken > CUT_SHARE * n:
        stopped_early = count_of(broken, "answer that was stopped early does", "answers that were stopped early do")
        yield f"stop rule: {stopped_early} not run; try --no-early-stop"


def _thinking_causes(samples: list[Sample], n: int, spec: ModelSpec) -> Iterator[str]:
    reasoned = [s for s in samples if s.get("reasoning_tokens")]
    if not reasoned:
        return
    torn = sum(s.get("reasoning_end") in ("budget", "loop") for s in reasoned)
    if torn > CUT_SHARE * n:
        yield f"thinking: {torn} of {n} answers had their reasoning ended for them; try a larger --think N"
    elif not any(row.thinks for row in spec.published):
        yield f"thinking: {len(reasoned)} of {n} answers reason, the published score was taken without; try --think off"


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def alarm_notes(summary: RunSummary) -> list[str]:
    """Sentences for the summary and the page; none while nothing falls short."""
    notes: list[str] = []
    for alarm in alarms(summary):
        if alarm.falls_short:
            notes.append(
                f"{alarm.suite} falls short of what is published: {alarm.passed} of {alarm.n} where at least "
                f"{100 * alarm.floor:.1f} % were expected (p = {alarm.p:.2g}); {alarm.policy}"
            )
            notes += [f"usual cause, seen in this run: {cause}" for cause in alarm.causes]
            if not alarm.causes:
                notes.append(
                    "of the usual causes (template, truncation, stop rule, thinking, format) this run shows none"
                )
    return notes


def alarm_records(summary: RunSummary) -> list[dict[str, Any]]:
    """For `-o json`: every suite that was tested, whether it falls short or not."""
    return [
        {
            "suite": alarm.suite,
            "passed": alarm.passed,
            "n": alarm.n,
            "published": alarm.published,
            "setting": alarm.setting,
            "source": alarm.source,
            "allowance": alarm.allowance,
            "p": alarm.p,
            "falls_short": alarm.falls_short,
            "causes": list(alarm.causes),
            "policy": alarm.policy,
        }
        for alarm in alarms(summary)
    ]
