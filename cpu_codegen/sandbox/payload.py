"""Job → the frame that the checker reads."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

from cpu_codegen.schema import EvalPlusTask, Job


def payload_of(job: Job, prepared: bytes = b"") -> bytes:
    """What the checker needs to know of a job, as JSON. `prepared`: what expected.py keeps of an EvalPlus task."""
    task = job.task
    shown = _head(task) if isinstance(task, EvalPlusTask) else asdict(task)
    return _frame(job, {"task": shown, "prepared": base64.b64encode(prepared).decode()})


def preparation_of(job: Job, task: EvalPlusTask) -> bytes:
    """The frame that asks for a task's expected outputs."""
    packed = base64.b64encode(task.packed_record).decode()
    return _frame(job, {"task": {**_head(task), "kind": "prepare", "packed_record": packed}})


def _head(task: EvalPlusTask) -> dict[str, object]:
    names = ("kind", "suite", "task_id", "canonical", "atol", "reference_limit_s")
    return {name: getattr(task, name) for name in names}


def _frame(job: Job, rest: dict[str, object]) -> bytes:
    fields = {
        "code": job.code,
        "entry_point": job.entry_point,
        "comparator": job.comparator,
        "limits": asdict(job.limits),
        **rest,
    }
    return json.dumps(fields, separators=(",", ":")).encode()
