"""Samples of a run as lines of other tools' files.

    evalplus    {"task_id", "solution"}: what `evalplus.evaluate --samples` executes; the code is the one that we executed
    human-eval  {"task_id", "completion"}: human-eval puts its prompt before it, so the program follows on a line of its own
    lm-eval     one line of lm-evaluation-harness's --log_samples per problem, its samples together

Not covered: running those tools.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

Sample = dict[str, Any]
HUMAN_EVAL_SUITES = ("humaneval", "humaneval+")


def evalplus_lines(samples: Iterable[Sample]) -> Iterator[dict[str, Any]]:
    """One line per sample, samples without code too (EvalPlus wants every task)."""
    for sample in samples:
        yield {"task_id": sample["problem_id"], "solution": sample["code"]}


def human_eval_lines(samples: Iterable[Sample]) -> Iterator[dict[str, Any]]:
    """The prompt ends in a docstring, which is a body; what follows defines the function anew.

    `from __future__` lines would be an error there and are left out; they change no verdict but that of annotations.
    """
    for sample in samples:
        kept = [line for line in sample["code"].split("\n") if not line.startswith("from __future__")]
        yield {"task_id": sample["problem_id"], "completion": "\n" + "\n".join(kept)}


def lm_eval_lines(samples: Iterable[Sample]) -> Iterator[dict[str, Any]]:
    """doc_id, doc, arguments, resps, filtered_resps, pass@1 and the three hashes, as lm-evaluation-harness 0.4 logs them."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample["problem_id"], []).append(sample)
    for number, (name, group) in enumerate(groups.items()):
        doc = {"task_id": name}
        decided = [s for s in group if s["outcome"] not in (None, "harness_error")]
        yield {
            "doc_id": number,
            "doc": doc,
            "target": name,
            "arguments": {"gen_args_0": {"arg_0": group[0]["prompt"]}},
            "resps": [[s["text"] for s in group]],
            "filtered_resps": [[s["code"] for s in group]],
            "filter": "cpu_codegen",
            "metrics": ["pass@1"],
            "doc_hash": _sha256(name),
            "prompt_hash": _sha256(group[0]["prompt"]),
            "target_hash": _sha256(name),
            "pass@1": sum(s["outcome"] == "passed" for s in decided) / len(decided) if decided else None,
        }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


CSV_COLUMNS = (
    "problem_id",
    "suite",
    "level",
    "style",
    "index",
    "outcome",
    "detail",
    "base_status",
    "plus_status",
    "tests_passed",
    "tests_total",
    "format_ok",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cost_s",
    "ttft_s",
    "prefill_s",
    "decode_s",
    "width",
    "cpu_s",
    "energy_j",
)


def csv_rows(samples: Iterable[Sample]) -> Iterator[tuple[Any, ...]]:
    """One flat row per sample, then the CPU ratio of its code to the reference with its interval."""
    for sample in samples:
        ratio = ((sample.get("efficiency") or {}).get("cpu_ratio")) or {}
        yield (*(sample.get(name) for name in CSV_COLUMNS), *(ratio.get(name) for name in ("value", "low", "high")))


CSV_HEADER = (*CSV_COLUMNS, "cpu_ratio", "cpu_ratio_low", "cpu_ratio_high")
