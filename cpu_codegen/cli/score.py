"""`cpu-codegen score FILE|RUN -s SUITE`: judges samples that are there already, EvalPlus's and human-eval's files included."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import AtK, Format, Json, KeepGoing, OutputFormat, at_k
from cpu_codegen.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from cpu_codegen.report.tables import Table
    from cpu_codegen.schema import Problem
    from cpu_codegen.scoring.samples import Submission
    from cpu_codegen.scoring.summary import Tally

_KS = (1, 10, 100)
_COMPARATORS = ("evalplus", "strict")


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
    comparator: Annotated[
        str, typer.Option(help="evalplus (parity with its verdicts), or strict (types count, no loopholes).")
    ] = "evalplus",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Programs executed at once.  [default: usable cores]")
    ] = None,
    k: AtK = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Judge everything again; use no kept verdict.")] = False,
    keep_going: KeepGoing = False,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False,
    allow_weak_isolation: Annotated[
        bool, typer.Option("--allow-weak-isolation", help="Run generated code behind seccomp alone.")
    ] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Score samples against a suite's tests in the sandbox; -o jsonl: one line per sample. The same command resumes."""
    if comparator not in _COMPARATORS:
        raise UsageError(f"--comparator {comparator!r} is not known", remedy="--comparator evalplus or strict")
    ks = at_k(k) or _KS
    from cpu_codegen.suites.load import open_suite

    opened = open_suite(suite, offline=offline, keep_going=keep_going, allow_weak=allow_weak_isolation)
    for broken in opened.left_out:
        print(f"left out: {broken}", file=sys.stderr)
    suite, problems = opened.name, opened.by_task_id()
    shown, told, faults = Format.JSON if json else output, [], 0
    for source in _sources(samples, problems, allow_weak=allow_weak_isolation):
        tally = _judge(source, suite, comparator, workers, fresh=fresh, allow_weak=allow_weak_isolation, output=output)
        if shown is Format.JSON:
            told.append(_summary(source, tally, suite, comparator, len(opened.problems), ks))
        elif shown is not Format.JSONL:
            _print_table(source, tally, suite, comparator, len(opened.problems), shown, ks)
        faults += tally.outcomes["harness_error"]
    if told:
        _print_json(told)
    if faults:
        raise HarnessError(
            f"{faults} samples could not be judged (harness_error); they count for nothing",
            remedy="the same command tries them again; cpu-codegen doctor",
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """What is scored in one go. `run` names it where a group has several."""

    submissions: Callable[[], Iterable[Submission]]
    run: str = ""


def _sources(name: str, problems: dict[str, Problem], *, allow_weak: bool) -> Iterator[_Source]:
    """The samples of a file, of a run, or of each run of a group."""
    from cpu_codegen.numbered_lines import can_be_read_once_only, kept
    from cpu_codegen.scoring.samples import read_samples

    path = Path("/dev/stdin" if name == "-" else name)
    if can_be_read_once_only(path):
        with kept(path) as copy:
            shown = "standard input" if name == "-" else name
            yield _Source(lambda: read_samples(copy, problems, name=shown))
        return
    if path.is_file() or name.endswith((".jsonl", ".jsonl.gz")):
        yield _Source(lambda: read_samples(path, problems))
        return
    from cpu_codegen.report.folders import find_runs
    from cpu_codegen.scoring.answers import read_answers

    paths = find_runs([name])
    for folder in paths:
        answers = read_answers(folder, problems, allow_weak=allow_weak)
        yield _Source(partial(list, answers), folder.resolve().name if len(paths) > 1 else "")


def _judge(
    source: _Source,
    suite: str,
    comparator: str,
    workers: int | None,
    *,
    fresh: bool,
    allow_weak: bool,
    output: Format,
) -> Tally:
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.machine import usable_cores
    from cpu_codegen.schema import Limits
    from cpu_codegen.scoring.score import Scoring
    from cpu_codegen.scoring.score import score as judged
    from cpu_codegen.scoring.summary import Tally
    from cpu_codegen.scoring.verdicts import Verdicts, judge_key
    from cpu_codegen.store import dump_line

    scoring = Scoring(comparator, Limits(), workers or usable_cores(), allow_weak)
    found, bars = Tally(), Bars()
    try:
        with Verdicts(judge_key(suite, comparator, scoring.limits), fresh=fresh) as verdicts:
            for record in judged(source.submissions, scoring, verdicts, bars):
                found.add(record)
                if output is Format.JSONL:
                    sys.stdout.write(dump_line({"run": source.run, **record} if source.run else record))
                    sys.stdout.flush()
    finally:
        bars.close()
    return found


def _summary(
    source: _Source, found: Tally, suite: str, comparator: str, problems: int, ks: tuple[int, ...]
) -> dict[str, Any]:
    return {
        **({"run": source.run} if source.run else {}),
        "suite": suite,
        "comparator": comparator,
        "samples": found.samples.total(),
        "problems": len(found.samples),
        "problems_in_suite": problems,
        "outcomes": dict(found.outcomes),
        "pass_at_k": [asdict(rate) for rate in found.rates(ks)],
    }


def _print_json(told: list[dict[str, Any]]) -> None:
    """One object; of a group's runs {"runs": […]}, as `run` does."""
    import json

    sys.stdout.write(json.dumps({"runs": told} if told[0].get("run") else told[0], indent=1) + "\n")


def _print_table(
    source: _Source, found: Tally, suite: str, comparator: str, problems: int, output: Format, ks: tuple[int, ...]
) -> None:
    from cpu_codegen.report.tables import write_table

    table = _table(found, suite, comparator, problems, ks)
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
    samples, tasks = _counted(found.samples.total(), "sample"), _counted(len(found.samples), "problem")
    title = f"{suite}, comparator {comparator}: {samples} of {tasks}{part}"
    return Table(("", "value", "95 % interval", "problems"), rows, title, frozenset(("value", "problems")))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
