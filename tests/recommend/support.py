"""Candidates and run folders whose quality and speed are known."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from cpu_codegen.models.spec import ModelSpec, Published
from cpu_codegen.plan.estimate import Plan, Verdict
from cpu_codegen.plan.speed import Rate
from cpu_codegen.recommend.choice import Candidate
from cpu_codegen.recommend.quality import Own, claim
from cpu_codegen.schema import Problem, ProblemFileTask
from cpu_codegen.stats import Interval
from cpu_codegen.store import RunFolder
from tests.report.support import manifest, sample

CHAT = "greedy, HumanEval+ v0.1.10 / MBPP+ v0.2.0, chat prompt"


def published(score: float, *, suite: str = "humaneval+", setting: str = CHAT, precision: str = "") -> Published:
    """One row of somebody else's."""
    return Published({suite: score}, setting, "somebody:results.json", precision)


def own(name: str, passed: int, n: int = 60, *, suite: str = "lowcost60", skip: int = 0, **more: Any) -> Own:
    """The first `passed` of `n` problems solved, `skip` of them moved to the end."""
    scores = {f"{suite}/{number}": float(skip <= number < passed + skip) for number in range(n)}
    return Own(run=f"runs/{name}", sha256=digest_of(name), name=name, path="", suite=suite, scores=scores, **more)


def digest_of(name: str) -> str:
    """A stand-in for a file's sha256."""
    return (name.encode().hex() * 64)[:64]


def candidate(
    name: str,
    speed: float,
    *,
    own: Own | None = None,
    score: float | None = None,
    verdict: Verdict = "fits",
    **spec: Any,
) -> Candidate:
    """One model at a speed, with what is known of it."""
    rows = (published(score),) if score is not None else ()
    known = ModelSpec(name, alias=name, published=rows, **spec)
    rate = Rate(speed, Interval(speed * 0.8, speed * 1.2))
    plan = Plan(known, False, verdict, "", "", 4096, decode=rate)
    return Candidate(plan, own, claim(known))


def problems(suite: str, count: int) -> list[Problem]:
    """Problems without content."""
    task = ProblemFileTask("")
    return [Problem(f"{suite}/{n}", suite, "", f"f{n}", "", "d", task) for n in range(count)]


def write_run(path: Path, name: str, suite: str, count: int, passed: int, **changes: Any) -> Path:
    """A finished plain run; `changes` replace parts of the manifest, or with `each_` fields of every answer's lines."""
    rng = random.Random(1)
    tasks = problems(suite, count)
    told = manifest(name, tasks, ["plain"], 1) | {"template_source": "gguf"}
    each = {key.removeprefix("each_"): changes.pop(key) for key in list(changes) if key.startswith("each_")}
    told |= changes
    with RunFolder(path, writable=True) as folder:
        folder.write_manifest(told)
        for number, task in enumerate(tasks):
            lines = sample(task, "plain", passed=number < passed, rng=rng)
            lines["generation"]["is_completion"] = False
            lines["generation"].update({k: v for k, v in each.items() if k in lines["generation"]})
            lines["result"].update({"format_ok": True, **{k: v for k, v in each.items() if k in lines["result"]}})
            folder.append("generations", lines["generation"])
            folder.append("results", lines["result"])
    return path
