"""Job → the frame that the checker reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cpu_codegen.schema import Job


def payload_of(job: Job) -> dict[str, Any]:
    """What the checker needs to know of a job, as plain JSON."""
    return {
        "code": job.code,
        "entry_point": job.entry_point,
        "comparator": job.comparator,
        "limits": asdict(job.limits),
        "task": asdict(job.task),
    }
