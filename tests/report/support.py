"""Synthetic run folders, line by line as a real run writes them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cpu_codegen.schema import Problem
from cpu_codegen.store import RunFolder, digest, dump_line
from cpu_codegen.suites.lowcost60 import load_lowcost60

Change = Callable[[dict[str, Any]], None]


def _radon(complexity: int, sloc: int) -> dict[str, float]:
    """radon's figures of a program."""
    halstead = {"halstead_volume": 31.7 * complexity, "halstead_difficulty": 2.5, "halstead_effort": 79.25 * complexity}
    return {"complexity": complexity, "maintainability": 80.0 - sloc, "sloc": sloc, **halstead}


def sample(problem: Problem, style: str, *, passed: bool, rng: random.Random, index: int = 0) -> dict[str, Any]:
    """One answer: a generation, its result and its measurement, as records."""
    body = f"    return {rng.randint(0, 99)}" if not passed else "    return sorted(values)"
    code = f"def {problem.entry_point}(values):\n    # {problem.id}\n{body}\n"
    reasoning = "1. Read the task.\n2. Choose a list.\n\n" if style == "cot" else ""
    key = digest(problem.id, style, index, rng.random())
    tokens = rng.randint(40, 180) + (120 if style == "cot" else 0)
    shared = {"problem_id": problem.id, "suite": problem.suite, "level": problem.level, "style": style, "index": index}
    generation = {
        "key": key,
        **shared,
        "prompt_hash": digest(style, problem.id),
        "text": f"{reasoning}```python\n{code}```\n",
        "finish_reason": "answer_complete",
        "prompt_tokens": 210,
        "completion_tokens": tokens,
        "prefill_s": 0.4,
        "decode_s": tokens / 20,
        "ttft_s": 0.5,
        "cost_s": tokens / 40,
        "width": 4,
        "peak_rss_bytes": 1_600_000_000,
        "reasoning_tokens": 0,
    }
    outcome = "passed" if passed else rng.choice(["wrong", "wrong", "error", "timeout"])
    result = {
        "key": digest(code),
        "generation": key,
        **shared,
        "outcome": outcome,
        "detail": "",
        "message": "NameError: name 'total' is not defined" if outcome == "error" else "",
        "tests_total": 14,
        "tests_passed": 14 if passed else 3,
        "failure": {"input": "[3, 1]", "expected": "[1, 3]", "got": "7"} if outcome == "wrong" else None,
        "cpu_s": 0.01,
        "wall_s": 0.02,
        "peak_rss_bytes": 12_000_000,
        "code": code,
        "format_ok": rng.random() < 0.95,
        "data_hash": problem.data_hash,
        "judge_hash": "j",
    }
    ratio = rng.uniform(0.8, 1.4)
    text = random.Random(key)  # apart, so that what the text shows changes no outcome
    unbounded = rng.random() < 0.2  # too few pairs: the store writes infinite ends as null
    efficiency = {
        "key": digest(code, "m"),
        "result": result["key"],
        "generation": key,
        **shared,
        "status": "measured",
        "reason": "",
        "cpu_ratio": {
            "value": ratio,
            "low": None if unbounded else ratio * 0.93,
            "high": None if unbounded else ratio * 1.07,
            "n": 5 if unbounded else 12,
        },
        "cpu_s": 0.02 * ratio,
        "reference_cpu_s": 0.02,
        "memory_bytes": 90_000,
        "reference_memory_bytes": 80_000,
        "ladder": [{"size": 100, "cpu_s": 0.02 * ratio, "reference_cpu_s": 0.02, "n": 12}],
        "reference_ladder_s": [0.02],
        "growth": {"exponent": 1.02, "low": 0.98, "high": 1.06},
        "reference_growth": {"exponent": 1.0, "low": 0.97, "high": 1.03},
        "memory_growth": {"exponent": 0.9, "low": 0.8, "high": 1.0},
        "reference_memory_growth": {"exponent": 0.9, "low": 0.8, "high": 1.0},
        "radon": _radon(rng.randint(1, 9), rng.randint(4, 30)),
        "reference_radon": _radon(3, 9),
        "unreached": {"lines": [2] if text.random() < 0.2 else [], "tests": 12, "of": 14},
        "static": {
            "third_party_imports": [],
            "unknown_imports": ["speedups"] if text.random() < 0.1 else [],
            "dangerous_calls": {"eval": 2} if text.random() < 0.1 else {},
            "unused_imports": ["os"] if text.random() < 0.2 else [],
            "bare_excepts": 0,
            "mutable_defaults": 0,
            "ruff": {"F841": 1} if text.random() < 0.2 else {},
        },
    }
    return {"generation": generation, "result": result, "efficiency": efficiency if passed else None}


def manifest(name: str, problems: Sequence[Problem], styles: Sequence[str], n: int) -> dict[str, Any]:
    """What session.py writes, as far as a report reads it."""
    alias, _, quant = name.partition("@")
    return {
        "schema": 1,
        "status": "finished",
        "created_utc": "2026-11-24T09:15:00+00:00",
        "cpu_codegen": "0.1.0",
        "model": {
            "name": name,
            "alias": alias,
            "quant": quant,
            "size_bytes": 1_117_320_768,
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
        },
        "settings": {"engine": "llama.cpp", "max_tokens": 1024, "seed": 0, "sampling": {"temperature": 0.0}},
        "judging": {"extract": "default", "comparator": "strict"},
        "machine": {
            "id": "m1",
            "cpu": "EPYC 7B13",
            "physical_cores_usable": 2,
            "ram_total_bytes": 7_600_000_000,
            "os": "Linux",
            "kernel": "6.1",
            "governor": "performance",
            "energy_why": "the RAPL counter is for root only",
        },
        "versions": {"python": "3.11.2", "llama-cpp-python": "0.3.36"},
        "engine": {"kind": "llama.cpp", "build": "0c1e570", "width": 4},
        "isolation": {"tier": "A", "layers": ["landlock", "seccomp"]},
        "prompts": {style: {"version": 1, "sha256": digest(style)} for style in styles},
        "suites": {problems[0].suite: {"order": [p.id for p in problems], "hash": "h"}},
        "scope": {"problems": [p.id for p in problems], "styles": list(styles), "n": n},
        "sessions": [
            {"argv": ["run", "-m", name, "--style", ",".join(styles)], "load_s": 2.0, "width": 4},
        ],
    }


def write_run(
    path: Path,
    *,
    name: str = "small@q4_k_m",
    share: float = 0.7,
    styles: Sequence[str] = ("plain", "cot"),
    limit: int | None = None,
    n: int = 1,
    seed: int = 0,
    slowness: float = 1.0,
    change: Change | None = None,
    change_manifest: Change | None = None,
) -> Path:
    """A run folder in which `share` of the answers passes; `change` may edit each sample's records before they are stored."""
    rng = random.Random(f"{seed}/{name}")
    problems = load_lowcost60()[:limit]
    facts = manifest(name, problems, styles, n)
    if change_manifest is not None:
        change_manifest(facts)
    columns: dict[str, list[str]] = {"prompts": [], "generations": [], "results": [], "efficiency": []}
    clock = 0.0
    for problem in problems:
        for style in styles:
            text = f"<|user|>\nComplete the function ({style}).\n{problem.statement}<|assistant|>\n"
            prompt = {"problem_id": problem.id, "style": style, "hash": digest(style, problem.id), "text": text}
            columns["prompts"].append(dump_line({"schema": 1, **prompt}))
            for index in range(n):
                records = sample(problem, style, passed=rng.random() < share, rng=rng, index=index)
                records["generation"]["cost_s"] *= slowness
                records["generation"]["start_offset_s"] = clock
                clock += records["generation"]["cost_s"]
                if change is not None:
                    change(records)
                for column, name in (
                    ("generations", "generation"),
                    ("results", "result"),
                    ("efficiency", "efficiency"),
                ):
                    if records[name] is not None:
                        columns[column].append(dump_line({"schema": 1, **records[name]}))
    path.mkdir(parents=True)
    RunFolder(path).write_manifest(facts)
    for column, lines in columns.items():
        (path / f"{column}.jsonl").write_text(
            "".join(lines), encoding="ascii"
        )  # at once: an fsync per line takes minutes
    return path


def fidelity(names: dict[str, str], *, base: str, problems: int = 12, sizes: Mapping[str, int] | None = None) -> str:
    """fidelity.jsonl over files; `names` by quant, digests as `manifest` makes them, `sizes` in units of 100 MB."""
    lines = []
    for quant, name in names.items():
        size = (sizes or {}).get(quant, 2)
        digests = [hashlib.sha256(one.encode()).hexdigest() for one in (names[base], name)]
        for number in range(problems):
            is_base = quant == base
            line = {
                "key": f"{name} {number}",
                "base": {"name": names[base], "sha256": digests[0]},
                "model": {"name": name, "quant": quant, "sha256": digests[1], "size_bytes": size * 10**8},
                "suite": "lowcost60",
                "problem_id": f"p{number}",
                "tokens_hash": "t",
                "vocabulary_hash": "v",
                "vocabulary": 3000,
                "build": "b",
                "tokens": 20,
                "bytes": 60,
                "nll_nats": 10.0 + number % 3,
                "kl_nats": None if is_base else [0.02 / size * (1 + (number + i) % 5) for i in range(20)],
                "same_top": None if is_base else 18 + number % 2,
            }
            lines.append(dump_line(line))
    return "".join(lines)
