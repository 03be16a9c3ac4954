"""Other tools' samples → a run folder of ours, judged in the sandbox: so that answers made elsewhere stand in the same tables.

Read: EvalPlus's and human-eval's lines (scoring/samples.py), and lm-evaluation-harness's sample logs. Costs are unknown
there and stay unmeasured here.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cpu_codegen import __version__
from cpu_codegen.errors import UsageError
from cpu_codegen.schema import SCHEMA_VERSION, Problem
from cpu_codegen.scoring.samples import Submission, read_samples
from cpu_codegen.store import RunFolder, digest


def read_foreign(path: Path, problems: Mapping[str, Problem]) -> list[Submission]:
    """The file's programs; its kind is told by its first line. UsageError names line and remedy."""
    return list(read_lm_eval(path, problems) if _is_lm_eval(path) else read_samples(path, problems))


def _is_lm_eval(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = json.loads(file.readline(8 << 20) or b"{}")
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "resps" in first


def read_lm_eval(path: Path, problems: Mapping[str, Problem]) -> Iterable[Submission]:
    """A sample log of lm-evaluation-harness: the filtered answers where they define the function, else prompt + answer."""
    index = 0
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            problem = problems[_id_of(record["doc"]["task_id"])]
            raw, kept = record["resps"][0], record.get("filtered_resps") or [[]]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{path}:{number}: no line of lm-eval's sample log for this suite ({type(error).__name__})",
                remedy=f"another suite with -s, or delete line {number}",
            ) from None
        filtered = kept[0] if isinstance(kept[0], list) else kept
        for place, answer in enumerate(raw if isinstance(raw, list) else [raw]):
            chosen = filtered[place] if place < len(filtered) else answer
            code = chosen if f"def {problem.entry_point}" in str(chosen) else problem.statement + str(answer)
            yield Submission(index, problem, str(code))
            index += 1


def _id_of(task_id: Any) -> Any:
    """lm-eval's MBPP tasks have numbers for names."""
    return f"Mbpp/{task_id}" if type(task_id) is int else task_id


def make_run(
    folder: RunFolder, submissions: list[Submission], *, source: Path, model: str, style: str, suite: str
) -> list[str]:
    """Writes manifest and generations; gives the generations' keys back, in the order of the submissions."""
    facts = {"file": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "lines": len(submissions)}
    if folder.has_manifest and folder.manifest().get("imported") != facts:
        raise UsageError(f"{folder.path} holds another run", remedy="--out with a new folder")
    folder.write_manifest(_manifest(submissions, facts, model=model, style=style, suite=suite))
    known = {record["key"] for record in folder.read("generations")}
    keys, seen = [], dict.fromkeys((s.problem.id for s in submissions), 0)
    for submission in submissions:
        problem, index = submission.problem, seen[submission.problem.id]
        seen[problem.id] += 1
        key = digest("imported", facts["sha256"], style, problem.id, index)
        keys.append(key)
        if key not in known:
            folder.append("generations", _generation(key, submission, style=style, index=index))
    return keys


def _generation(key: str, submission: Submission, *, style: str, index: int) -> dict[str, Any]:
    problem = submission.problem
    return {
        "key": key,
        "problem_id": problem.id,
        "suite": problem.suite,
        "level": problem.level,
        "style": style,
        "index": index,
        "prompt_hash": "",
        "text": submission.code,
        "finish_reason": "eos",
        "imported": True,
    }


def _manifest(
    submissions: list[Submission], facts: dict[str, Any], *, model: str, style: str, suite: str
) -> dict[str, Any]:
    per_problem = Counter(s.problem.id for s in submissions)
    problems = list(per_problem)
    return {
        "schema": SCHEMA_VERSION,
        "status": "running",
        "cpu_codegen": __version__,
        "imported": facts,
        "model": {"name": model, "alias": "", "quant": "", "sha256": "", "size_bytes": None},
        "settings": {"engine": "imported"},
        "machine": {"energy_why": "imported: nothing was generated here"},
        "versions": {},
        "prompts": {},
        "suites": {suite: {"order": problems, "hash": ""}},
        "scope": {"problems": problems, "styles": [style], "n": max(per_problem.values(), default=1)},
        "sessions": [],
    }


def result_record(key: str, submission: Submission, verdict: dict[str, Any], *, style: str) -> dict[str, Any]:
    """One line of results.jsonl from a verdict of the scorer. Format adherence was not looked at."""
    problem = submission.problem
    facts = {k: v for k, v in verdict.items() if k not in ("task_id", "index", "isolation")}
    return {
        "key": digest(submission.code, problem.data_hash, "imported"),
        "generation": key,
        "problem_id": problem.id,
        "suite": problem.suite,
        "level": problem.level,
        "style": style,
        **facts,
        "code": submission.code,
        "format_ok": None,
        "failure": None,
        "data_hash": problem.data_hash,
        "isolation_tier": verdict.get("isolation"),
    }
