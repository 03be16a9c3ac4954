"""The answers of a run → submissions, for another suite's tests or another comparator. The run itself stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cpu_codegen.errors import UsageError
from cpu_codegen.extraction.generation import extract_generation
from cpu_codegen.sandbox import open_parser
from cpu_codegen.schema import ExtractMode, FinishReason, Problem
from cpu_codegen.scoring.samples import Submission
from cpu_codegen.store import RunFolder


def read_answers(path: Path, problems: Mapping[str, Problem], *, allow_weak: bool = False) -> list[Submission]:
    """The code of all answers to the suite's problems, extracted as the run does it; failures of the engine are left out."""
    folder = RunFolder(path)
    mode: ExtractMode = "evalplus" if folder.manifest().get("judging", {}).get("extract") == "evalplus" else "default"
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
            extraction = extract_generation(generation, problem, mode, outline=parser.outline)
            submissions.append(Submission(index, problem, extraction.code))
    return submissions
