"""`cpu-codegen efficiency RUN`: measures the passed answers of a run anew or further; `--self-test` measures the measurer."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import (
    AtK,
    Format,
    Ids,
    Json,
    Offline,
    OutputFormat,
    WeakIsolation,
    at_k,
    seconds,
    split_commas,
)
from cpu_codegen.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from cpu_codegen.report.tables import Table
    from cpu_codegen.schema import Problem
    from cpu_codegen.store import RunFolder


def efficiency(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A run folder, its name under ./runs, latest, prev, or a group."),
    ] = None,
    budget: Annotated[
        str, typer.Option("--efficiency-budget", "--budget", help="Time for all answers together.")
    ] = "4m",
    redo: Annotated[bool, typer.Option("--redo", help="Measure everything again, not only what is missing.")] = False,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Count instructions under cachegrind too (valgrind needed; slow).")
    ] = False,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Time references against themselves; exit 7 when noise passes for findings."),
    ] = False,
    comparisons: Annotated[int, typer.Option(min=1, help="Of the self-test.")] = 300,
    each: Annotated[str, typer.Option(help="Time for one comparison of the self-test.")] = "1s",
    busy: Annotated[bool, typer.Option("--busy", help="Self-test while another process keeps one core busy.")] = False,
    ids: Ids = None,
    suites: Annotated[
        list[str] | None, typer.Option("-s", "--suite", help="Where tasks of your own lie now, if they were moved.")
    ] = None,
    k: AtK = None,
    offline: Offline = False,
    allow_weak_isolation: WeakIsolation = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Measure the code that passed: CPU time, memory and growth against the reference, with intervals."""
    shown, ks = Format.JSON if json else output, at_k(k) or (1, 10, 100)
    if self_test == (run is not None):
        raise UsageError("efficiency takes a RUN or --self-test, one of them", remedy="cpu-codegen efficiency latest")
    if self_test:
        _self_test(
            split_commas(ids),
            comparisons,
            seconds(each, "--each"),
            busy=busy,
            allow_weak=allow_weak_isolation,
            output=shown,
        )
        return
    assert run is not None
    moved = split_commas(suites)
    from cpu_codegen.report.folders import find_runs

    paths, ends = find_runs([run]), time.monotonic() + seconds(budget, "--budget")
    for number, path in enumerate(paths):
        share_s = max(0.0, ends - time.monotonic()) / (len(paths) - number)
        _measure(path, split_commas(ids), share_s, moved, redo=redo, offline=offline, allow_weak=allow_weak_isolation)
        if deterministic:
            _count_instructions(path, moved, offline=offline, allow_weak=allow_weak_isolation)
    if shown is Format.JSON:
        from cpu_codegen.cli.told import tell_json

        tell_json([record for path in paths for record in _records(path, ks, named=len(paths) > 1)])
        return
    for number, table in enumerate(_tables(paths, ks)):
        if number and shown is not Format.JSONL:
            print()
        _write(table, shown)


def _measure(
    path: Path,
    ids: tuple[str, ...],
    budget_s: float,
    moved: tuple[str, ...],
    *,
    redo: bool,
    offline: bool,
    allow_weak: bool,
) -> None:
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.columns.measure import measure_results, passed_results, unmeasured
    from cpu_codegen.order import select
    from cpu_codegen.store import RunFolder

    bars = Bars()
    with RunFolder(path, writable=True) as folder:
        problems = _problems(folder, moved, offline=offline)
        named = {problem.id for problem in select(problems.values(), ids=ids)}
        chosen = passed_results(folder) if redo else unmeasured(folder, retry=True)
        wanted = [result for result in chosen if not ids or result["problem_id"] in named]
        try:
            for record in measure_results(
                folder, wanted, problems, budget_s=budget_s, allow_weak=allow_weak, progress=bars
            ):
                folder.append("efficiency", record)
        finally:
            bars.close()


def _problems(folder: RunFolder, moved: tuple[str, ...], *, offline: bool) -> dict[str, Problem]:
    from cpu_codegen.suites.load import suites_of

    suites = suites_of(folder.manifest(), offline=offline, elsewhere=moved)
    return {problem.id: problem for problems in suites.values() for problem in problems}


def _count_instructions(path: Path, moved: tuple[str, ...], *, offline: bool, allow_weak: bool) -> None:
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.measure.cachegrind import count_column
    from cpu_codegen.store import RunFolder

    bars = Bars()
    with RunFolder(path, writable=True) as folder:
        try:
            problems = _problems(folder, moved, offline=offline)
            for record in count_column(folder, problems, bars, allow_weak=allow_weak):
                folder.append("efficiency", record)
        finally:
            bars.close()


def _records(path: Path, ks: tuple[int, ...], *, named: bool) -> list[dict[str, Any]]:
    """One record per suite and style; of a group each says its run."""
    from cpu_codegen.measure.records import efficiency_records

    run = {"run": path.resolve().name} if named else {}
    return [{**run, **record} for record in efficiency_records(_samples(path), ks)]


def _tables(paths: Sequence[Path], ks: tuple[int, ...]) -> list[Table]:
    """The tables of one run; those of a group are one each, with the run in every row."""
    from cpu_codegen.measure.tables import efficiency_tables

    if len(paths) == 1:
        return efficiency_tables(_samples(paths[0]), ks)
    found: dict[tuple[str, tuple[str, ...]], Table] = {}
    for path in paths:
        for table in efficiency_tables(_samples(path), ks):
            rows = [(path.resolve().name, *row) for row in table.rows]
            before = found.get((table.title, table.columns))
            whole = replace(table, columns=("run", *table.columns), rows=[*(before.rows if before else ()), *rows])
            found[table.title, table.columns] = whole
    return list(found.values())


def _samples(path: Path) -> list[dict[str, Any]]:
    from cpu_codegen.report.samples import load_samples
    from cpu_codegen.store import RunFolder

    folder = RunFolder(path)
    styles = folder.manifest().get("scope", {}).get("styles", [])
    return sorted(load_samples(folder), key=lambda s: styles.index(s["style"]) if s["style"] in styles else len(styles))


def _self_test(
    ids: tuple[str, ...], comparisons: int, each_s: float, *, busy: bool, allow_weak: bool, output: Format
) -> None:
    from contextlib import nullcontext

    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.measure.quiet import Company, quiet_core
    from cpu_codegen.measure.selftest import busy_core, self_test
    from cpu_codegen.order import select
    from cpu_codegen.sandbox import open_sandbox
    from cpu_codegen.suites.load import load_suite

    problems, bars = select(load_suite("lowcost60"), ids=ids), Bars()
    with open_sandbox(workers=1, allow_weak=allow_weak) as sandbox, busy_core() if busy else nullcontext():
        company = Company(quiet_core())
        try:
            findings = self_test(sandbox, problems, company, comparisons=comparisons, budget_s=each_s, progress=bars)
        finally:
            bars.close()
    if output is Format.JSON:
        from cpu_codegen.cli.told import tell_json

        tell_json(findings.summary())
    else:
        _write(_self_test_table(findings.summary()), output)
    if not findings.holds:
        raise CheckFailed(
            "noise passes for findings, or findings for noise, more often than the tool promises",
            remedy="end other programs, plug the charger in, and run it again",
        )


def _self_test_table(found: dict[str, Any]) -> Table:
    from cpu_codegen.report.tables import Table

    def percent(value: float | None) -> str:
        return "not measured" if value is None else f"{value:.1%}"

    rate = f"{percent(found['false_rate'])} ({found['false_differences']} of {found['comparisons']})"
    slower = f"{percent(found['naive_share'])} ({found['naive_found_slower']} of {found['naive_problems']})"
    resolved = found["resolves_ratio"]
    rows: list[tuple[str | int | float | None, ...]] = [
        ("one program called different from itself", rate, "at most 5 %"),
        ("… estimates within 3 % of 1", percent(found["within_3_percent"]), ""),
        ("smallest ratio that is told from 1 in 4 of 5 cases", None if resolved is None else f"{resolved:.2f}×", ""),
        ("naive found slower where growth differs", slower, "at least 90 %"),
        ("comparisons with company on the core", found["disturbed"], ""),
        ("problems left out", len(found["left_out"]), ""),
    ]
    return Table(("self-test", "measured", "promised"), rows)


def _write(table: Table, output: Format) -> None:
    from cpu_codegen.report.tables import write_table

    write_table(table, output, sys.stdout)
