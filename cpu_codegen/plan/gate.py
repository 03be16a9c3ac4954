"""Plans against `--require`: estimates as figures, and for pass@k what own runs of the same file measured.

Not covered: the rule of verdicts (requirements.py), figures of runs (report/gate.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.models.digests import combined_sha256
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.estimate import Plan
from cpu_codegen.plan.work import SUITES, suite_size
from cpu_codegen.report.gate import figures_of
from cpu_codegen.report.summary import RunSummary, summarize
from cpu_codegen.requirements import Figure, Gate, Term, judge
from cpu_codegen.run_names import RUNS
from cpu_codegen.schema import LEVELS
from cpu_codegen.store import RunFolder
from cpu_codegen.suites.own import own_name

MOST_RUNS = 200
MOST_OF_ONE_FILE = 20
"""Of the newest runs of one file; each is read whole."""


def plan_gates(
    plans: Sequence[Plan], terms: Sequence[Term], suites: Sequence[str], styles: Sequence[str], *, runs: Path = RUNS
) -> list[Gate]:
    """One gate per plan; [] without terms. `suites` and `styles` as the plan was asked."""
    if not terms:
        return []
    known = own_runs(runs) if any(term.k for term in terms) else {}
    return [_gate(plan, terms, suites, styles, known) for plan in plans]


def _gate(
    plan: Plan,
    terms: Sequence[Term],
    suites: Sequence[str],
    styles: Sequence[str],
    known: dict[str, list[Path]],
) -> Gate:
    findings = []
    for term in terms:
        figures = _measured(plan.spec, term, known) if term.k else _estimated(plan, term, suites, styles)
        findings += [judge(term, figure) for figure in figures]
    return Gate(plan.spec.name, "", tuple(findings))


# ── estimates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _estimated(plan: Plan, term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[Figure]:
    if set(term.selectors) & set(LEVELS):
        return [Figure(None, why="a plan knows no levels: run it", where=", ".join(term.selectors))]
    return _ESTIMATES[term.name](plan, term, suites, styles)


def _ram(plan: Plan, term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[Figure]:
    """The peak of an earlier run at one stream on this machine, else of one stream by the shape."""
    measured = plan.measured
    if measured is not None and measured.peak_rss_bytes and measured.width == 1:
        peak = measured.peak_rss_bytes
        return [Figure(peak, peak, peak, 1, is_maximum=True, note=f"peak, measured in {measured.run}")]
    if plan.ram is None:
        return [Figure(None, why=plan.reason)]
    # repacked tensors may or may not be given back before the peak
    high = plan.ram.interval.high + plan.ram.repacked_bytes
    return [
        Figure(
            plan.ram.peak_bytes,
            plan.ram.interval.low,
            high,
            estimated=True,
            more=f"cpu-codegen bench -m {plan.spec.name} measures it",
            note=f"peak, one stream, {plan.ctx_tokens} tokens",
        )
    ]


def _first_token(plan: Plan, term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[Figure]:
    """A prompt of the suite's mean length at the estimated prefill rate, and one step of decoding."""
    if plan.prefill is None or plan.decode is None:
        return [Figure(None, why=plan.reason or "this machine is not calibrated")]
    found = []
    for name in _selected(term, suites, styles):
        tokens = suite_size(name)[1]
        value, low, high = (
            tokens / prefill + 1 / decode
            for prefill, decode in (
                (plan.prefill.value, plan.decode.value),
                (plan.prefill.interval.high, plan.decode.interval.high),
                (plan.prefill.interval.low, plan.decode.interval.low),
            )
        )
        note, more = f"a prompt of {tokens:.0f} tokens", f"cpu-codegen run -m {plan.spec.name} --parallel 1 measures it"
        found.append(Figure(value, low, high, where=_suite_name(name), estimated=True, more=more, note=note))
    return found or [_not_planned(term, suites, styles)]


def _last_percent(plan: Plan, term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[Figure]:
    return [Figure(None, why="a 95th percentile is not estimated: run --parallel 1")]


def _seconds(plan: Plan, term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[Figure]:
    """All answers together at the best width, divided by their number; suites and styles are estimated as one."""
    if plan.run_s is None or plan.run_interval is None or not plan.answers:
        return [Figure(None, why=plan.reason or "this machine is not calibrated")]
    if not _selected(term, suites, styles):
        return [_not_planned(term, suites, styles)]
    low, high = plan.run_interval.low / plan.answers, plan.run_interval.high / plan.answers
    note = f"by {plan.measured.run}" if plan.measured else f"{plan.width} sequences together"
    where = ", ".join((*map(_suite_name, suites), *styles))
    more = f"cpu-codegen run -m {plan.spec.name} --limit 12 measures it"
    return [Figure(plan.run_s / plan.answers, low, high, where=where, estimated=True, more=more, note=note)]


def _energy(plan: Plan, term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[Figure]:
    return [Figure(None, why="energy is not estimated: run it where a counter can be read")]


_ESTIMATES: dict[str, Callable[[Plan, Term, Sequence[str], Sequence[str]], list[Figure]]] = {
    "ram": _ram,
    "ttft": _first_token,
    "ttft_p95": _last_percent,
    "s_per_problem": _seconds,
    "wh_per_problem": _energy,
}


def _suite_name(name: str) -> str:
    return name if name in SUITES else own_name(Path(name).expanduser())


def _selected(term: Term, suites: Sequence[str], styles: Sequence[str]) -> list[str]:
    """The plan's suites that a term means."""
    words = set(term.selectors) - set(styles)
    return [name for name in suites if words <= {_suite_name(name)}]


def _not_planned(term: Term, suites: Sequence[str], styles: Sequence[str]) -> Figure:
    planned = ", ".join((*map(_suite_name, suites), *styles))
    return Figure(None, where=", ".join(term.selectors), why=f"the plan is of {planned}: -s and --style say otherwise")


# ── own runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def own_runs(root: Path) -> dict[str, list[Path]]:
    """Run folders under `root`, those of groups too, by the model's sha256, the newest first."""
    from cpu_codegen.group import run_folders

    found: dict[str, list[Path]] = {}
    for path in reversed(run_folders(root)[-MOST_RUNS:]):
        try:
            sha256 = RunFolder(path).manifest().get("model", {}).get("sha256")
        except (CpuCodegenError, AttributeError):
            continue  # a damaged folder says nothing
        if sha256:
            found.setdefault(str(sha256), []).append(path)
    return found


def _measured(spec: ModelSpec, term: Term, known: dict[str, list[Path]]) -> list[Figure]:
    """The own run of this file that knows the figure from the most problems; of equals the newest."""
    digest = model_digest(spec)
    paths = known.get(digest, []) if digest else []
    summaries = [summary for path in paths[:MOST_OF_ONE_FILE] if (summary := _summary(path)) is not None]
    found = [[_from(figure, summary.name) for figure in figures_of(summary, term)] for summary in summaries]
    best = max(found, key=lambda figures: sum(f.n for f in figures if f.value is not None), default=[])
    if any(figure.value is not None for figure in best):
        return best
    where = ", ".join(term.selectors)
    if paths:
        return [Figure(None, where=where, why=f"own runs of this file have no {term.name} there")]
    return [Figure(None, where=where, why=f"no own run of this file: cpu-codegen run -m {spec.name}")]


@lru_cache(maxsize=256)
def _summary(path: Path) -> RunSummary | None:
    """Of a folder that can be read."""
    try:
        return summarize(path)
    except (CpuCodegenError, KeyError, TypeError, ValueError):
        return None


def _from(figure: Figure, run: str) -> Figure:
    from dataclasses import replace

    return replace(figure, note=f"run {run}" + (f", {figure.note}" if figure.note else ""))


def model_digest(spec: ModelSpec) -> str:
    """The sha256 that a run of this model has in its manifest; "" where it is not known."""
    if spec.sha256s:
        return combined_sha256(spec.sha256s)
    from cpu_codegen.registry import is_local, local_file

    try:
        return local_file(spec).sha256 if is_local(spec) else ""
    except CpuCodegenError:
        return ""
