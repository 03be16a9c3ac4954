"""`cpu-codegen problems list|show|new|validate|export`: the 60 problems, and tasks of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cpu_codegen.cli.options import Format, Ids, Json, KeepGoing, OutputFormat, WeakIsolation
from cpu_codegen.counts import count_of
from cpu_codegen.errors import CheckFailed, UsageError, to_paste

if TYPE_CHECKING:
    from cpu_codegen.problem_checks import Check
    from cpu_codegen.report.tables import Table
    from cpu_codegen.schema import Problem

app = typer.Typer(help="List, show, write, check and export problems.", no_args_is_help=True, rich_markup_mode=None)

Source = Annotated[
    str,
    typer.Argument(
        metavar="[SUITE]", help="lowcost60, a folder of problem files, or a .jsonl file of tasks.", show_default=True
    ),
]


@app.command("list")
def list_(
    suite: Source = "lowcost60",
    keep_going: KeepGoing = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Every problem: id, level, title, topics."""
    from cpu_codegen.report.tables import Table, write_table

    rows = [(p.id, p.level or None, p.title, ", ".join(p.topics)) for p in _problems(suite, keep_going=keep_going)]
    table = Table(columns=("problem", "level", "title", "topics"), rows=list(rows))
    write_table(table, Format.JSON if json else output, sys.stdout)


app.command("ls", hidden=True)(list_)


@app.command()
def show(
    problem_id: Annotated[str, typer.Argument(metavar="ID", help="lowcost60/slug, or the slug alone.")],
    suite: Annotated[str, typer.Option("-s", "--suite", help="Where to look.")] = "lowcost60",
    source: Annotated[bool, typer.Option("--source", help="The whole file, reference and cases too.")] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """What a model sees of a problem, and with --source all that there is."""
    problem = _find(problem_id, suite)
    text = _source_of(problem) if source else problem.statement
    if json or output in (Format.JSON, Format.JSONL):
        from cpu_codegen.cli.told import tell_json

        names = ("id", "suite", "level", "title", "entry_point", "data_hash", "topics")
        facts = {name: getattr(problem, name) for name in names}
        indent = 1 if json or output is Format.JSON else None
        tell_json({**facts, "source" if source else "statement": text}, indent=indent)
        return
    from cpu_codegen.report.escape import for_terminal

    if not source:
        print(f"# {for_terminal(problem.id)}  {problem.level}  {for_terminal(', '.join(problem.topics))}\n")
    print("\n".join(map(for_terminal, text.rstrip("\n").split("\n"))))


def _source_of(problem: Problem) -> str:
    from cpu_codegen.schema import ProblemFileTask
    from cpu_codegen.suites.solutions import solution

    return problem.task.source if isinstance(problem.task, ProblemFileTask) else solution(problem)


@app.command()
def new(
    problem_id: Annotated[str, typer.Argument(metavar="ID", help="my_tasks/tidy_rows, or the function's name alone.")],
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="DIR", help="The folder.  [default: what stands before the slash]")
    ] = None,
    level: Annotated[str | None, typer.Option("--level", help="easy, medium or hard: a folder inside.")] = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Write a problem file with blanks; it passes `problems validate` once they are filled in."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.problem_template import new_path, new_problem
    from cpu_codegen.schema import LEVELS

    if level is not None and level not in LEVELS:
        raise UsageError(f"no level {level!r}", remedy=f"--level {' or '.join(LEVELS)}")
    path = new_path(problem_id, folder, level)
    text = new_problem(path.stem)
    if path.exists():
        raise UsageError(f"{path} is there already", remedy="another ID")
    _write(path, text)
    tell([{"path": str(path)}], [str(path)], output=output, json=json)
    root = path.parents[1] if level else path.parent
    print(f"next: fill in its blanks, then {to_paste('problems', 'validate', root)}", file=sys.stderr)


@app.command()
def validate(
    suite: Source = "lowcost60",
    ids: Ids = None,
    wrong: Annotated[
        Path | None, typer.Option(help="Folder of wrong answers, <slug>/*.py.  [default: the checkout's tests/wrong]")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Programs executed at once.")] = 1,
    keep_going: KeepGoing = False,
    allow_weak: WeakIsolation = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Prove of each problem what docs/problems.md promises; exit 7 when a promise is broken."""
    from cpu_codegen.packaged import wrong_answers_dir
    from cpu_codegen.problem_checks import Check
    from cpu_codegen.problem_checks import validate as all_checks
    from cpu_codegen.sandbox import open_sandbox
    from cpu_codegen.suites.load import SUITES, load_suite

    if suite in SUITES and suite != "lowcost60":
        raise UsageError(f"{suite} is proved by its publisher", remedy="lowcost60, a folder, or a .jsonl of your own")
    left_out: list[UsageError] = []
    problems = _chosen(load_suite(suite, left_out=left_out if keep_going else None), ids)
    ours = wrong_answers_dir() if suite == "lowcost60" else None
    with open_sandbox(workers=workers, allow_weak=allow_weak) as sandbox:
        checks = list(all_checks(problems, sandbox, wrong_dir=wrong or ours))
    checks += [
        Check(str(error).partition(": ")[0], "is a problem", False, f"{error}; {error.remedy}") for error in left_out
    ]
    _show_checks(checks, len(problems) + len(left_out), Format.JSON if json else output)
    broken = [check for check in checks if check.ok is False]
    if broken:
        count = len({check.problem_id for check in broken})
        raise CheckFailed(
            f"{count_of(len(broken), 'promise')} of {count_of(count, 'problem')} {'is' if len(broken) == 1 else 'are'} broken",
            remedy="mend the files; see docs/problems.md",
        )


def _show_checks(checks: list[Check], problem_count: int, output: Format) -> None:
    from cpu_codegen.report.tables import write_table

    if output is not Format.TABLE:
        write_table(_table(checks), output, sys.stdout)
        return
    remarkable = [check for check in checks if not check.ok]
    if remarkable:
        write_table(_table(remarkable), output, sys.stdout)
        print()
    counts = {word: sum(1 for check in checks if _word(check) == word) for word in ("ok", "broken", "not checked")}
    checked = f"{count_of(len(checks), 'check')} of {count_of(problem_count, 'problem')}"
    print(f"{checked}: " + ", ".join(f"{count} {word}" for word, count in counts.items()))


def _table(checks: list[Check]) -> Table:
    from cpu_codegen.report.tables import Table

    rows = [(check.problem_id, check.name, _word(check), check.detail) for check in checks]
    return Table(columns=("problem", "promise", "result", "detail"), rows=list(rows))


def _word(check: Check) -> Literal["ok", "broken", "not checked"]:
    if check.ok is None:
        return "not checked"
    return "ok" if check.ok else "broken"


@app.command()
def export(
    as_format: Annotated[str, typer.Option("--as", help="evalplus: its JSON lines.")] = "evalplus",
    suite: Source = "lowcost60",
    out: Annotated[Path | None, typer.Option("--out", help="A file.  [default: stdout]")] = None,
    keep_going: KeepGoing = False,
    allow_weak: WeakIsolation = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Problems as JSON lines in EvalPlus's layout; those that it cannot express are named on stderr. -o json: one list."""
    import json as writer

    from cpu_codegen.problem_export import evalplus_records
    from cpu_codegen.report.escape import for_terminal
    from cpu_codegen.sandbox import open_sandbox

    if as_format != "evalplus":
        raise UsageError(f"no format {as_format!r}", remedy="--as evalplus")
    with open_sandbox(allow_weak=allow_weak) as sandbox:
        records, left_out = evalplus_records(_files_only(_problems(suite, keep_going=keep_going), suite), sandbox)
    lines = [writer.dumps(record, allow_nan=False) + "\n" for record in records]
    is_list = json or output is Format.JSON
    text = "[" + ",".join(lines) + "]\n" if is_list else "".join(lines)
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, text)
    for problem_id, reason in left_out.items():
        print(for_terminal(f"left out {problem_id}: {reason}"), file=sys.stderr)


def _write(path: Path, text: str) -> None:
    from cpu_codegen.durable import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {path.parent}: {error.strerror}", remedy="name another file") from error
    write_whole(path, text)


def _problems(suite: str, *, keep_going: bool = False) -> list[Problem]:
    """The suite's problems; with `keep_going` what is broken is told and left out."""
    from cpu_codegen.report.escape import for_terminal
    from cpu_codegen.suites.load import load_suite

    broken: list[UsageError] = []
    problems = load_suite(suite, left_out=broken if keep_going else None)
    for error in broken:
        print(for_terminal(f"left out: {error}"), file=sys.stderr)
    return problems


def _files_only(problems: list[Problem], suite: str) -> list[Problem]:
    from cpu_codegen.schema import ProblemFileTask

    if not all(isinstance(problem.task, ProblemFileTask) for problem in problems):
        raise UsageError(f"{suite} does not consist of problem files", remedy="lowcost60, or a folder of problem files")
    return problems


def _chosen(problems: list[Problem], ids: list[str] | None) -> list[Problem]:
    from cpu_codegen.cli.options import split_commas

    wanted = split_commas(ids)
    for problem_id in wanted:
        _named(problems, problem_id)
    return [problem for problem in problems if not wanted or set(_names(problem)) & set(wanted)]


def _find(problem_id: str, suite: str) -> Problem:
    from cpu_codegen.suites.load import load_suite

    return _named(load_suite(suite, left_out=[]), problem_id)


def _names(problem: Problem) -> tuple[str, ...]:
    from cpu_codegen.order import short_id

    return problem.id, short_id(problem), problem.entry_point


def _named(problems: list[Problem], problem_id: str) -> Problem:
    for problem in problems:
        if problem_id in _names(problem):
            return problem
    raise UsageError(f"no problem {problem_id!r}", remedy="cpu-codegen problems list")
