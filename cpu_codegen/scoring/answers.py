"""The answers of a run → submissions, for another suite's tests or another comparator. The run itself stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cpu_codegen.errors import UsageError
from cpu_codegen.extraction.answer import extract
from cpu_codegen.extraction.evalplus import extract_evalplus
from cpu_codegen.sandbox import open_parser
from cpu_codegen.schema import FinishReason, Problem
from cpu_codegen.scoring.samples import Submission
from cpu_codegen.store import RunFolder

EXTRACT_TIMEOUT_S = 5.0


def read_answers(path: Path, problems: Mapping[str, Problem], *, allow_weak: bool = False) -> list[Submission]:
    """The code of all answers to the suite's problems, extracted as the run does it; failures of the engine are left out."""
    folder = RunFolder(path)
    chosen = extract_evalplus if folder.manifest().get("judging", {}).get("extract") == "evalplus" else extract
    wanted = [
        generation
        for generation in folder.read("generations")
        if generation["problem_id"] in problems and generation["finish_reason"] != FinishReason.ENGINE_ERROR
    ]
    if not wanted:
        suite = next(iter(problems.values())).suite
        raise UsageError(f"{path} holds no answers to problems of {suite}", remedy="another suite with -s")
    submissions: list[Submission] = []
    with open_parser(allow_weak=allow_weak) as parser:
        for index, generation in enumerate(wanted):
            problem = problems[generation["problem_id"]]
            extraction = chosen(
                generation["text"],
                entry_point=problem.entry_point,
                statement=problem.statement,
                parse=lambda text: parser.outline(text, timeout_s=EXTRACT_TIMEOUT_S),
                is_completion=bool(generation.get("is_completion")),
            )
            submissions.append(Submission(index, problem, extraction.code))
    return submissions
