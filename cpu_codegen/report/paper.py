"""The page's main pictures as SVG and PNG for papers, drawn by matplotlib (extra `figures`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from cpu_codegen.compare_factors import family, quantization
from cpu_codegen.durable import disk_error
from cpu_codegen.errors import MachineError
from cpu_codegen.fidelity.find import ladders_of
from cpu_codegen.report.escape import visible
from cpu_codegen.report.summary import Cell, RunSummary
from cpu_codegen.schema import Outcome
from cpu_codegen.stats import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by colour-blind readers.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
MARKERS = ("o", "^", "s", "D", "P", "*")


def write_figures(summaries: Sequence[RunSummary], folder: Path) -> list[Path]:
    """pareto, levels and outcomes, each as .svg and .png (300 dpi); ladder and fidelity where there are quantizations of one model.

    MachineError without matplotlib, and where they cannot be written.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MachineError("figures need matplotlib", remedy="pip install 'cpu-codegen[figures]'") from error
    try:
        return _write(summaries, folder)
    except OSError as error:
        raise disk_error(folder, error) from error


def _write(summaries: Sequence[RunSummary], folder: Path) -> list[Path]:
    import matplotlib
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    with matplotlib.rc_context({"svg.hashsalt": "cpu-codegen", "svg.fonttype": "none", "font.size": 9}):
        pictures = {
            "pareto": _pareto,
            "levels": _levels,
            "outcomes": _outcomes,
            "ladder": _ladder,
            "fidelity": _fidelity,
        }
        for name, draw in pictures.items():
            figure = Figure(figsize=(6.3, 3.6), layout="constrained")
            axes = figure.subplots()
            draw(axes, summaries)
            if axes.has_data() or name not in ("ladder", "fidelity"):
                written += _save(figure, folder / name)
    return written


def _save(figure: Figure, stem: Path) -> list[Path]:
    paths = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
    figure.savefig(paths[0], metadata={"Date": None})
    figure.savefig(paths[1], dpi=300)
    return paths


def _named(text: str) -> str:
    """Foreign text as matplotlib shows it: never read as a formula."""
    return visible(text).replace("$", r"\$")


def _row(summary: RunSummary, cell: Cell) -> str:
    """A row's name; a run that a race stopped says so, because its bars are of another kind."""
    return _named(f"{summary.model}, {cell.style}{' (stopped)' if summary.stop else ''}")


def _look(run: int, style: str, styles: list[str]) -> dict[str, Any]:
    return {"color": COLOURS[run % len(COLOURS)], "marker": MARKERS[styles.index(style) % len(MARKERS)]}


def _styles(summaries: Sequence[RunSummary]) -> list[str]:
    return list(dict.fromkeys(cell.style for summary in summaries for cell in summary.cells))


def _reach(estimate: Estimate) -> list[list[float]]:
    """The two arms of an error bar."""
    return [[estimate.value - estimate.low], [estimate.high - estimate.value]]


def _pareto(axes: Axes, summaries: Sequence[RunSummary]) -> None:
    for number, summary in enumerate(summaries):
        for cell in summary.overall():
            seconds, score = cell.cost.seconds_per_problem, cell.pass1
            if seconds is not None and score is not None:
                name = _row(summary, cell)
                look = _look(number, cell.style, _styles(summaries))
                axes.errorbar([seconds], [score.value], yerr=_reach(score), capsize=2, linestyle="", label=name, **look)
    axes.set(xlabel="seconds per problem", ylabel="pass@1 (95 % interval)", ylim=(0, 1.03))
    _legend(axes)


def _levels(axes: Axes, summaries: Sequence[RunSummary]) -> None:
    cells = [(n, s, c) for n, s in enumerate(summaries) for c in s.cells if c.pass1 is not None]
    levels = list(dict.fromkeys(cell.level for _, _, cell in cells))
    rows = list(dict.fromkeys((number, cell.suite, cell.style) for number, _, cell in cells))
    for number, summary, cell in cells:
        if cell.pass1 is not None:
            place = rows.index((number, cell.suite, cell.style)) - (len(rows) - 1) / 2
            at = levels.index(cell.level) + 0.7 * place / max(len(rows), 1)
            look = _look(number, cell.style, _styles(summaries))
            name = _row(summary, cell) if cell.level == levels[0] else None
            axes.errorbar(
                [at], [cell.pass1.value], yerr=_reach(cell.pass1), capsize=2, linestyle="", label=name, **look
            )
    axes.set(ylabel="pass@1 (95 % interval)", ylim=(0, 1.03), xticks=range(len(levels)))
    axes.set_xticklabels(levels)
    _legend(axes)


def _outcomes(axes: Axes, summaries: Sequence[RunSummary]) -> None:
    cells = [(summary, cell) for summary in summaries for cell in summary.overall()]
    names = [_row(summary, cell) for summary, cell in cells]
    left = [0] * len(cells)
    for number, outcome in enumerate(Outcome):
        counts = [cell.outcomes.get(outcome.value, 0) for _, cell in cells]
        if any(counts):
            axes.barh(range(len(cells)), counts, left=left, label=outcome.value, color=COLOURS[number % len(COLOURS)])
            left = [a + b for a, b in zip(left, counts, strict=True)]
    unknown = [cell.unknown for _, cell in cells]
    if any(unknown):
        axes.barh(range(len(cells)), unknown, left=left, label="unknown", color="#bbbbbb")
    axes.set(xlabel="answers", yticks=range(len(cells)))
    axes.set_yticklabels(names)
    axes.invert_yaxis()
    _legend(axes)


def _ladder(axes: Axes, summaries: Sequence[RunSummary]) -> None:
    """pass@1 against the size of the file, for models with several quantizations."""
    families: dict[tuple[str, str, str], list[tuple[float, Estimate]]] = {}
    for summary in summaries:
        size = (summary.manifest.get("model") or {}).get("size_bytes")
        for cell in summary.overall():
            if size and cell.pass1 is not None and quantization(summary.manifest):
                key = (family(summary.manifest), cell.suite, cell.style)
                families.setdefault(key, []).append((size / 1e9, cell.pass1))
    several = {key: sorted(found, key=lambda step: step[0]) for key, found in families.items() if len(found) > 1}
    for number, ((model, suite, style), found) in enumerate(several.items()):
        x, scores = zip(*found, strict=True)
        arms = [[max(0.0, e.value - e.low) for e in scores], [max(0.0, e.high - e.value) for e in scores]]
        look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
        name = _named(f"{PurePath(model).name}, {style}, {suite}")
        axes.errorbar(x, [e.value for e in scores], yerr=arms, capsize=2, linewidth=0.8, label=name, **look)
    axes.set(xlabel="model file in GB", ylabel="pass@1 (95 % interval)", ylim=(0, 1.03))
    _legend(axes)


def _fidelity(axes: Axes, summaries: Sequence[RunSummary]) -> None:
    """Mean KL to the base against the size of the file."""
    digests = [(s.path, str((s.manifest.get("model") or {}).get("sha256") or "")) for s in summaries]
    for number, ladder in enumerate(ladders_of(digests)):
        steps = [(s.size_bytes / 1e9, s.kl_nats) for s in ladder.steps if s.kl_nats is not None and s.kl_nats.value > 0]
        if steps:
            x, kl = zip(*steps, strict=True)
            arms = [
                [min(0.999 * e.value, max(0.0, e.value - e.low)) for e in kl],
                [max(0.0, e.high - e.value) for e in kl],
            ]
            look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
            name = _named(f"to {ladder.base}, {ladder.suite}")
            axes.errorbar(x, [e.value for e in kl], yerr=arms, capsize=2, linewidth=0.8, label=name, **look)
            axes.set_yscale("log")
    axes.set(xlabel="model file in GB", ylabel="mean KL, nats per token (95 % interval)")
    _legend(axes)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
