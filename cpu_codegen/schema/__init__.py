"""Every value that flows along the line, as frozen dataclasses with units in the field names.

Stages do not import each other; they meet here. Nothing in this package touches the world.

    words.py        the closed sets: levels, outcomes, why a generation ended, comparators
    problem.py      tasks and problems
    generation.py   model file, prompt, request, generation
    execution.py    extraction, limits, job, execution, ratio of times

SCHEMA_VERSION history:
    1  first version: prompts.jsonl, generations.jsonl, results.jsonl, efficiency.jsonl, manifest.json
"""

from cpu_codegen.sampling import Sampling
from cpu_codegen.schema.execution import (
    Execution,
    Extraction,
    Failure,
    Isolation,
    Job,
    Limits,
    Outline,
    OutlineItem,
    Ratio,
)
from cpu_codegen.schema.generation import Generation, ModelFile, Prompt, Request, Thinking
from cpu_codegen.schema.problem import AssertTask, EvalPlusTask, Problem, ProblemFileTask, Task
from cpu_codegen.schema.words import (
    COMPARATORS,
    EXTRACT_MODES,
    LEVELS,
    Comparator,
    EvalPlusStatus,
    ExtractMode,
    FinishReason,
    Level,
    Outcome,
    ReasoningEnd,
)

SCHEMA_VERSION = 1

__all__ = [
    "COMPARATORS",
    "EXTRACT_MODES",
    "LEVELS",
    "SCHEMA_VERSION",
    "AssertTask",
    "Comparator",
    "EvalPlusStatus",
    "EvalPlusTask",
    "Execution",
    "ExtractMode",
    "Extraction",
    "Failure",
    "FinishReason",
    "Generation",
    "Isolation",
    "Job",
    "Level",
    "Limits",
    "ModelFile",
    "Outcome",
    "Outline",
    "OutlineItem",
    "Problem",
    "ProblemFileTask",
    "Prompt",
    "Ratio",
    "ReasoningEnd",
    "Request",
    "Sampling",
    "Task",
    "Thinking",
]
