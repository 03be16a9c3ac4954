"""`cpu-codegen plan`: which models fit this machine, how fast and for how long, before anything is downloaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import (
    AsIf,
    CtxTokens,
    Format,
    Json,
    KeepGoing,
    KvType,
    ModelsFile,
    Offline,
    OutputFormat,
    Require,
    Styles,
    Suites,
    Think,
    Threads,
    requirements,
    split_commas,
    thinking,
)
from cpu_codegen.config import DEFAULT_MAX_TOKENS, MIN_SPEED_TOKENS_S

if TYPE_CHECKING:
    from cpu_codegen.plan.estimate import Plan
    from cpu_codegen.plan.question import Question
    from cpu_codegen.plan.survey import Survey
    from cpu_codegen.requirements import Gate


def plan(
    model: Annotated[
        list[str] | None, typer.Option("-m", "--model", help="Models, by comma.  [default: the whole registry]")
    ] = None,
    suites: Suites = None,
    style: Styles = None,
    as_if: AsIf = None,
    ctx: CtxTokens = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = DEFAULT_MAX_TOKENS,
    kv_type: KvType = "f16",
    min_speed: Annotated[
        float, typer.Option(min=0.0, help="Slower models (tokens/s, one stream) are marked slow.")
    ] = MIN_SPEED_TOKENS_S,
    threads: Threads = None,
    recalibrate: Annotated[bool, typer.Option("--recalibrate", help="Measure this machine again (≤ 20 s).")] = False,
    models_file: ModelsFile = None,
    keep_going: KeepGoing = False,
    think: Think = "auto",
    require: Require = None,
    offline: Offline = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Disk, RAM, speed and hours per model, and whether it fits. Estimates and measurements stand apart."""
    terms = requirements(require)
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.plan.question import Question
    from cpu_codegen.plan.survey import survey

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
    show(question, found, Format.JSON if json else output)
    if require is not None:
        from cpu_codegen.requirements import require_a_pass

        require_a_pass(found.gates, require)


def show(question: Question, found: Survey, output: Format) -> None:
    """The table, with the machine above it and the next command below."""
    if output in (Format.JSON, Format.JSONL):
        _write_records(question, found, output)
    elif output is Format.TABLE:
        _print(question, found)
    else:
        from cpu_codegen.cli.plan_table import table, wide_table
        from cpu_codegen.report.tables import write_table

        write_table(wide_table(found) if output is Format.CSV else table(found), output, sys.stdout)
        if output is not Format.CSV:
            _write_gates(found, output)


def _print(question: Question, found: Survey) -> None:
    from cpu_codegen.cli.plan_table import narrow_table, table
    from cpu_codegen.report.escape import for_terminal
    from cpu_codegen.report.tables import as_text

    text, width = as_text(table(found)), _columns()
    is_narrow = width is not None and width < max(map(len, text.splitlines()))
    print(for_terminal(found.machine_line) + "\n")
    print(as_text(narrow_table(found)) if is_narrow else text, end="")
    _write_gates(found, Format.TABLE)
    lines = [*(_left_out(found) if is_narrow else []), *_footer(question, found)]
    print("\n" + "\n".join(map(for_terminal, lines)))


def _write_gates(found: Survey, output: Format) -> None:
    if found.gates:
        from cpu_codegen.report.gate import gate_table
        from cpu_codegen.report.tables import write_table

        print()
        write_table(gate_table(_worth_a_look(found)), output, sys.stdout)


def _write_records(question: Question, found: Survey, output: Format) -> None:
    from cpu_codegen.cli.told import tell_json, tell_lines
    from cpu_codegen.plan.records import as_records

    if output is Format.JSON:
        best = _first(question, found)
        tell_json(as_records(found, best[0].spec.name if best else None))
    else:
        tell_lines(as_records(found, None)["plans"])


def _columns() -> int | None:
    """Of the window; None where the table goes into a file or another program."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _first(question: Question, found: Survey) -> tuple[Plan, str] | None:
    """What to begin with, and why: the first name of `recommend`, or the one usable model that was asked about."""
    from cpu_codegen.progress import Silent
    from cpu_codegen.recommend.recommend import first_choice

    choice = first_choice(question, found.plans, progress=Silent())
    if choice is not None:
        return choice.candidate.plan, choice.sentence
    usable = [plan for plan in found.plans if plan.is_usable]
    return (usable[0], "") if len(question.models) == len(usable) == 1 else None


def _worth_a_look(found: Survey) -> list[Gate]:
    """Of models asked about all, of a whole registry those that do not fail, ten at most; -o json has the rest."""
    if found.fittings:
        return found.gates
    return (
        sorted((g for g in found.gates if g.verdict != "FAIL"), key=lambda g: g.verdict != "PASS")[:10]
        or found.gates[:3]
    )


def _left_out(found: Survey) -> list[str]:
    """What a narrow table leaves out, of models that were asked about by name."""
    lines = []
    for plan in found.plans if found.fittings else []:
        instead = f"; instead: {plan.nearest}" if plan.nearest else ""
        lines += [f"{plan.spec.name}: {plan.reason or 'slow'}{instead}"] if plan.reason or instead else []
    return [*lines, "more columns: a wider window, or -o csv"]


def _footer(question: Question, found: Survey) -> list[str]:
    from cpu_codegen.cli.plan_table import details
    from cpu_codegen.plan.words import duration

    lines = [line for plan in found.plans if found.fittings for line in details(plan, found.fittings[plan.spec.name])]
    lines.append(f"basis: {found.basis}; verify: cpu-codegen bench -m MODEL -p 512 -g 64")
    lines += [f"note: {note}" for note in found.notes]
    first = _first(question, found)
    if first is not None:
        best, why = first
        size = "is here" if best.is_here else f"downloads {_size(best)}"
        time = f", ≈ {duration(best.run_s)}" if best.run_s else ""
        lines += [f"{best.spec.name}: {why}"] if why else []
        lines.append("others, and how to use it: cpu-codegen recommend")
        lines.append(f"next: cpu-codegen run -m {best.spec.name}   ({size}{time})")
    return lines


def _size(plan: Plan) -> str:
    from cpu_codegen.sizes import format_bytes

    return format_bytes(plan.ram.weights_bytes) if plan.ram else "it"
