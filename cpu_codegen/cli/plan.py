"""`cpu-codegen plan`: which models fit this machine, how fast and for how long, before anything is downloaded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import (
    Format,
    Json,
    KeepGoing,
    KvType,
    OutputFormat,
    Require,
    Think,
    requirements,
    split_commas,
    thinking,
)
from cpu_codegen.config import DEFAULT_MAX_TOKENS, RunConfig

if TYPE_CHECKING:
    from cpu_codegen.plan.estimate import Plan
    from cpu_codegen.plan.fitting import Fitting
    from cpu_codegen.plan.survey import Survey
    from cpu_codegen.report.tables import Table
    from cpu_codegen.requirements import Gate


def plan(
    model: Annotated[
        list[str] | None, typer.Option("-m", "--model", help="Models, by comma.  [default: the whole registry]")
    ] = None,
    suites: Annotated[
        list[str] | None, typer.Option("-s", "--suite", help="Suites, by comma.  [default: lowcost60]")
    ] = None,
    style: Annotated[
        list[str] | None,
        typer.Option("--style", help="Prompt styles, by comma: plain, cot, cot-efficient.  [default: plain]"),
    ] = None,
    as_if: Annotated[
        str | None, typer.Option("--as-if", help="Another machine: ram=4G,cores=4,bandwidth=12G (bytes a second).")
    ] = None,
    ctx: Annotated[int | None, typer.Option(min=64, help="Context of one sequence.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = DEFAULT_MAX_TOKENS,
    kv_type: KvType = "f16",
    min_speed: Annotated[float, typer.Option(help="Slower models (tokens/s, one stream) are marked slow.")] = 5.0,
    threads: Annotated[int | None, typer.Option("--threads", "-t", min=1)] = None,
    recalibrate: Annotated[bool, typer.Option("--recalibrate", help="Measure this machine again (≤ 20 s).")] = False,
    models_file: Annotated[
        Path | None, typer.Option("--models", metavar="FILE", help="A registry of your own, merged over ours.")
    ] = None,
    keep_going: KeepGoing = False,
    think: Think = "auto",
    require: Require = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Disk, RAM, speed and hours per model, and whether it fits. Estimates and measurements stand apart."""
    terms = requirements(require)
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.plan.survey import Question, survey

    question = Question(
        models=split_commas(model),
        suites=split_commas(suites) or ("lowcost60",),
        styles=split_commas(style) or ("plain",),
        as_if=as_if,
        ctx_tokens=ctx,
        max_tokens=max_tokens,
        kv_type=kv_type,
        min_speed=min_speed,
        threads=threads,
        recalibrate=recalibrate,
        models_file=models_file,
        offline=offline,
        keep_going=keep_going,
        think=thinking(think),
        require=terms,
    )
    found = survey(question, progress=Bars())
    show(found, Format.JSON if json else output)
    if require is not None:
        from cpu_codegen.requirements import require_a_pass

        require_a_pass(found.gates, require)


def show(found: Survey, output: Format) -> None:
    """The table, with the machine above it and the next command below."""
    import json

    from cpu_codegen.plan.survey import as_records
    from cpu_codegen.report.tables import write_table

    if output is Format.JSON:
        print(json.dumps(as_records(found), indent=1, allow_nan=False))
        return
    if output is Format.JSONL:
        sys.stdout.writelines(json.dumps(record, allow_nan=False) + "\n" for record in as_records(found)["plans"])
        return
    if output is Format.TABLE:
        print(found.machine_line + "\n")
    if output is Format.CSV:
        write_table(_wide_table(found), output, sys.stdout)
        return
    write_table(_table(found), output, sys.stdout)
    if found.gates:
        from cpu_codegen.report.gate import gate_table

        print()
        write_table(gate_table(_worth_a_look(found)), output, sys.stdout)
    if output is Format.TABLE:
        print("\n" + "\n".join(_footer(found)))


def _worth_a_look(found: Survey) -> list[Gate]:
    """Of models asked about all, of a whole registry those that do not fail, ten at most; -o json has the rest."""
    if found.fittings:
        return found.gates
    return (
        sorted((g for g in found.gates if g.verdict != "FAIL"), key=lambda g: g.verdict != "PASS")[:10]
        or found.gates[:3]
    )


def _table(found: Survey) -> Table:
    from cpu_codegen.report.tables import Table

    answers = f"{found.answers} answers est."
    columns = ("model", "file", "RAM", "prefill est.", "decode est.", "decode meas.", answers, "verdict", "instead")
    right = frozenset(columns[1:7])
    return Table(columns, [_row(plan) for plan in found.plans], right=right)


def _wide_table(found: Survey) -> Table:
    """Everything of one model in one row."""
    from cpu_codegen.report.tables import Table

    table = _table(found)
    if found.fittings:
        told = [found.fittings[plan.spec.name] for plan in found.plans]
        rows = [(*row, fit.ctx_tokens, fit.quant or None) for row, fit in zip(table.rows, told, strict=True)]
        table = Table((*table.columns, "largest context", "best quantization"), rows, right=table.right)
    if not found.gates:
        return table
    from cpu_codegen.report.gate import with_gates

    return with_gates(table, found.gates, range(len(found.plans)))


def _row(plan: Plan) -> tuple[Any, ...]:
    from cpu_codegen.plan.estimate import SHOWN
    from cpu_codegen.sizes import format_bytes

    size = plan.ram.weights_bytes if plan.ram else None
    verdict = SHOWN[plan.verdict] + (" · slow" if plan.slow else "") + (f": {plan.reason}" if plan.reason else "")
    hopeless = plan.verdict == "too_big"
    return (
        plan.spec.name,
        _about(plan) + format_bytes(size) if size else None,
        format_bytes(plan.ram.needed_bytes) if plan.ram else None,
        None if hopeless or plan.prefill is None else figure(plan.prefill.value),
        None if hopeless or plan.decode is None else _with_interval(plan.decode),
        _measured(plan),
        None if hopeless or plan.run_s is None else duration(plan.run_s) + _both_ways(plan),
        verdict,
        plan.nearest,
    )


def _both_ways(plan: Plan) -> str:
    """` (40 min without reasoning)`, of models that reason: the other way than the hours in front of it."""
    if plan.reasoning_run_s is None or plan.plain_run_s is None:
        return ""
    if plan.reasons:
        return f" ({duration(plan.plain_run_s)} without reasoning)"
    return f" ({duration(plan.reasoning_run_s)} with reasoning)"


def _about(plan: Plan) -> str:
    """A length that nobody has seen is computed from the shape."""
    return "" if plan.is_here or plan.spec.size_bytes else "≈ "


def _with_interval(rate: Any) -> str:
    return f"{figure(rate.value)} [{figure(rate.interval.low)}, {figure(rate.interval.high)}]"


def _measured(plan: Plan) -> str | None:
    if plan.measured is None:
        return None
    together = f" ({plan.measured.width} together)" if plan.measured.width > 1 else ""
    return figure(plan.measured.decode_tokens_s) + together


def suggest(models_file: Path | None, *, offline: bool) -> str:
    """Prints what `recommend` says and gives back its first name; for a `run` without a model."""
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.cli.recommend import write_names
    from cpu_codegen.plan.survey import Question
    from cpu_codegen.recommend.recommend import recommend

    found = recommend(Question(models_file=models_file, offline=offline), progress=Bars())
    write_names(found, sys.stderr)
    return found.choices[0].candidate.name if found.choices else "MODEL"


def outlook(config: RunConfig) -> str | None:
    """One line before a run: what it will need and take, by what is known already; None when that is nothing."""
    from cpu_codegen.errors import CpuCodegenError
    from cpu_codegen.plan.estimate import SHOWN
    from cpu_codegen.plan.greedy import against_greedy
    from cpu_codegen.plan.survey import Question, survey
    from cpu_codegen.progress import Silent
    from cpu_codegen.sizes import format_bytes

    known = Path(config.models_file) if config.models_file else None
    question = Question(
        (config.model,),
        config.suites,
        config.styles,
        ctx_tokens=config.settings.ctx_tokens,
        max_tokens=config.settings.max_tokens,
        kv_type=f"k={config.settings.kv_type_k},v={config.settings.kv_type_v}",
        max_ram_bytes=config.max_ram_bytes,
        models_file=known,
        offline=True,
        calibrate=False,
        keep_going=config.keep_going,
        think=config.settings.think,
    )
    try:
        (plan,) = survey(question, progress=Silent()).plans
    except CpuCodegenError:
        return None  # the run itself will say what is wrong
    if plan.ram is None:
        return None
    if plan.verdict == "too_big" and not plan.is_here and not config.force:
        _refuse_download(plan)
    words = [f"{plan.spec.name}: {SHOWN[plan.verdict]}", f"needs ≈ {format_bytes(plan.ram.needed_bytes)}"]
    if plan.speed is not None:
        words.append(f"≈ {figure(plan.speed)} tokens/s in one stream")
    is_part = config.ids or config.levels or config.limit or config.samples_per_problem > 1
    if plan.run_s is not None and not is_part:
        basis = "by an earlier run" if plan.measured else "estimate"
        words.append(f"{plan.answers} answers in ≈ {duration(plan.run_s)} ({basis})" + _both_ways(plan))
    greedy = config.settings.sampling.temperature <= 0 and not config.settings.recommended
    if greedy and (warning := against_greedy(plan.spec, config.settings.think)):
        words.append(warning)
    return "plan: " + ", ".join(words)


def _refuse_download(plan: Plan) -> None:
    """Gigabytes that could not be used are not fetched in the first place."""
    from cpu_codegen.errors import MachineError

    nearest = f"-m {plan.nearest}, or " if plan.nearest else ""
    raise MachineError(
        f"{plan.spec.name} does not fit ({plan.reason}); nothing was downloaded",
        remedy=f"{nearest}--force to fetch and load it all the same",
    )


def figure(value: float) -> str:
    """Two figures, more for large numbers: 4.8, 22, 1640."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def duration(seconds: float) -> str:
    """`40 s`, `21 min`, `1 h 36 min`, `27 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours < 10 else f"{hours} h"


def _footer(found: Survey) -> list[str]:
    lines = [_fitting_line(name, fit) for name, fit in found.fittings.items()]
    lines.append(f"basis: {found.basis}; verify: cpu-codegen bench -m MODEL -p 512 -g 64")
    if found.notes:
        lines += [f"note: {note}" for note in found.notes]
    best = found.recommended
    if best is not None:
        size = "is here" if best.is_here else f"downloads {_size(best)}"
        time = f", ≈ {duration(best.run_s)}" if best.run_s else ""
        if best.spec.published:
            lines.append("order: published scores of unquantized models, not measured here")
        lines.append("which one, and why: cpu-codegen recommend")
        lines.append(f"next: cpu-codegen run -m {best.spec.name}   ({size}{time})")
    return lines


def _fitting_line(name: str, found: Fitting) -> str:
    """`name: largest context that fits 32768 tokens (all of its own); best quantization that fits name@q8_0, 1.65 GB`."""
    from cpu_codegen.sizes import format_bytes

    if found.ctx_tokens is None:
        context = "largest context: cannot be told"
    elif found.ctx_tokens == 0:
        context = "no context fits"
    else:
        context = f"largest context that fits: {found.ctx_tokens} tokens" + (
            " (all of its own)" if found.is_whole else ""
        )
    quant = (
        f"{found.quant} ({format_bytes(found.bytes)}{', slow' * found.slow})" if found.quant else "none that is listed"
    )
    return f"{name}: {context}; best quantization that fits: {quant}"


def _size(plan: Plan) -> str:
    from cpu_codegen.sizes import format_bytes

    return format_bytes(plan.ram.weights_bytes) if plan.ram else "it"
