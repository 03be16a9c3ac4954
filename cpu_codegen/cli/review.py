"""`cpu-codegen review RUN`: people's points beside the tests' verdicts, as the survey graded; of a group all runs together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, RunArgument, split_commas
from cpu_codegen.counts import count_of
from cpu_codegen.errors import UsageError

if TYPE_CHECKING:
    from cpu_codegen.report.tables import Table
    from cpu_codegen.review.grading import Grading, Sample

_MAX_LINE_BYTES = 1 << 20


def review(
    run: RunArgument,
    reviewer: Annotated[str, typer.Option("--reviewer", help="Who grades; several may.")] = "me",
    rubric: Annotated[
        Path | None, typer.Option("--rubric", help="Your own criteria (YAML, see docs/review.md).")
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Hide the tests' outcome until the points are given.")] = False,
    style: Annotated[list[str] | None, typer.Option("--style", help="Only these styles.")] = None,
    web: Annotated[bool, typer.Option("--web", help="Grade in the browser, on 127.0.0.1.")] = False,
    grades: Annotated[
        Path | None, typer.Option("--import", help="Grades made elsewhere (JSON lines), as this reviewer's.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Agreement and disagreements instead of grading.")] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Grade answers by a rubric, in random order, resumable; --summary: Cohen's kappa between reviewers and with the tests."""
    from cpu_codegen.report.folders import find_runs
    from cpu_codegen.review.grading import open_grading
    from cpu_codegen.review.rubric import load_rubric

    grading = open_grading(
        find_runs([run]), reviewer=reviewer, rubric=load_rubric(rubric), blind=blind, styles=split_commas(style)
    )
    if grades is not None:
        _import(grading, grades)
    elif summary:
        _summary(grading, Format.JSON if json else output)
    elif web:
        _serve(grading)
    else:
        _ask_all(grading)


def _import(grading: Grading, path: Path) -> None:
    from cpu_codegen.numbered_lines import numbered_lines
    from cpu_codegen.review.grading import GRADE_SHAPE, import_grades

    lines = numbered_lines(path, max_bytes=_MAX_LINE_BYTES, shape=GRADE_SHAPE)
    print(f"{count_of(import_grades(grading, lines), 'grade')} of {grading.reviewer} stored")


def _statement(grading: Grading) -> dict[str, str]:
    from cpu_codegen.report.references import references
    from cpu_codegen.report.summary import summarize

    return {
        name: reference.statement for name, reference in references([summarize(path) for path in grading.paths]).items()
    }


def _serve(grading: Grading) -> None:
    from cpu_codegen.review.web import Server

    statements = _statement(grading)

    def statement(sample: Sample) -> str:
        return statements.get(f"{sample['suite']} {sample['problem_id']}") or str(sample["prompt"])

    with Server(grading, statement) as server:
        print(server.url, flush=True)  # also where stdout is a pipe: it is needed now
        print("open this address in a browser on this machine; Ctrl-C ends", file=sys.stderr)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(f"{count_of(len(grading.left()), 'answer')} left; the same command goes on", file=sys.stderr)


def _ask_all(grading: Grading) -> None:
    left = grading.left()
    if left and not sys.stdin.isatty():
        raise UsageError("grading needs a terminal", remedy="--web, or --import FILE")
    statements = _statement(grading)
    place = 0
    while place < len(left):
        _show(grading, left[place], statements, left=len(left) - place)
        try:
            moved = _ask(grading, left[place])
        except EOFError:  # Ctrl-D; Ctrl-C ends likewise, and nothing given is lost
            print()
            break
        if moved == 0:
            break
        place = max(0, place + moved)
    undone = len(grading.left())
    goes_on = "; the same command goes on" if undone else ""
    print(f"{undone} of {count_of(len(grading.samples), 'answer')} left{goes_on}")


def _show(grading: Grading, sample: Sample, statements: dict[str, str], *, left: int) -> None:
    from cpu_codegen.report.escape import for_terminal

    print(f"\n── {for_terminal(sample['problem_id'])}  {for_terminal(sample['style'])}  ({left} left) ──")
    print(for_terminal(statements.get(f"{sample['suite']} {sample['problem_id']}") or str(sample["prompt"])))
    print("── answer ──")
    print(for_terminal(sample["text"]))
    if not grading.blind:
        _show_verdict(sample)


def _show_verdict(sample: Sample) -> None:
    from cpu_codegen.report.escape import for_terminal

    failure = sample.get("failure") or {}
    detail = "".join(f"\n  {name:<9}{for_terminal(str(failure[name]))}" for name in failure)
    print(f"── tests: {sample['outcome'] or 'not judged yet'}{detail}")


def _ask(grading: Grading, sample: Sample) -> int:
    """Asks each criterion until the answer is allowed; how far to move on: 1, −1 to correct the one before, 0 = the end."""
    moves = {"s": 1, "q": 0} | ({} if grading.blind else {"b": -1})  # blind points stay: their outcome has been told
    keys = "s skips, q ends" if grading.blind else "s skips, b goes back, q ends"
    points: dict[str, float] = {}
    for criterion in grading.rubric.criteria:
        allowed = {f"{point:g}": point for point in criterion.points}
        while (said := input(f"{criterion.question} [{'/'.join(allowed)}, {keys}] ").strip()) not in allowed:
            if said in moves:
                return moves[said]
            print(f"one of {', '.join([*allowed, *moves])}")
        points[criterion.name] = allowed[said]
    grading.give(sample["key"], points, input("note (may be empty): "))
    if grading.blind:
        _show_verdict(sample)
    return 1


def _summary(grading: Grading, output: Format) -> None:
    from cpu_codegen.report.tables import write_table

    if not grading.grades():
        print("nobody has graded these answers by this rubric yet", file=sys.stderr)
    tables = [_points(grading), _agreements(grading), _disagreements(grading)]
    if output in (Format.JSON, Format.JSONL):
        from cpu_codegen.cli.told import tell_json

        tell_json({t.title: [dict(zip(t.columns, row, strict=True)) for row in t.rows] for t in tables})
        return
    for table in tables:
        if table.rows:
            write_table(table, output, sys.stdout)
            print()


def _points(grading: Grading) -> Table:
    from cpu_codegen.report.tables import Table

    grades = grading.grades()
    rows = []
    for reviewer in dict.fromkeys(grade["reviewer"] for grade in grades):
        own = [grade["points"] for grade in grades if grade["reviewer"] == reviewer]
        means = [round(sum(p[c.name] for p in own) / len(own), 3) for c in grading.rubric.criteria]
        rows.append((reviewer, len(own), *means))
    columns = ("reviewer", "graded", *(criterion.name for criterion in grading.rubric.criteria))
    return Table(columns, list(rows), title="points", right=frozenset(columns[1:]))


def _agreements(grading: Grading) -> Table:
    from cpu_codegen.report.tables import Table
    from cpu_codegen.review.agreement import agreements

    rows = [
        (a.criterion, a.first, a.second, a.n, a.agreed, None if a.kappa is None else round(a.kappa, 3))
        for a in agreements(grading)
    ]
    columns = ("criterion", "one", "other", "answers", "agreed", "Cohen's kappa")
    return Table(columns, list(rows), title="agreement", right=frozenset(columns[3:]))


def _disagreements(grading: Grading) -> Table:
    from cpu_codegen.report.tables import Table
    from cpu_codegen.review.agreement import disagreements

    rows = [
        (d.problem_id, d.style, d.index, d.criterion, ", ".join(f"{who} {what}" for who, what in d.said))
        for d in disagreements(grading)
    ]
    return Table(("problem", "style", "index", "criterion", "said"), list(rows), title="disagreements")
