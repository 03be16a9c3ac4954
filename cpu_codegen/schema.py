"""Every value that flows along the line, as frozen dataclasses with units in the field names.

Stages do not import each other; they meet here. Nothing in this module touches the world.

SCHEMA_VERSION history:
    1  first version: prompts.jsonl, generations.jsonl, results.jsonl, efficiency.jsonl, manifest.json
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from cpu_codegen.sampling import Sampling as Sampling

SCHEMA_VERSION = 1

Level = Literal["easy", "medium", "hard"]
LEVELS: tuple[Level, ...] = ("easy", "medium", "hard")


class Outcome(StrEnum):
    """What became of one sample. `harness_error` is never counted against a model."""

    PASSED = "passed"
    WRONG = "wrong"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    SYNTAX = "syntax"
    NO_CODE = "no_code"
    HARNESS_ERROR = "harness_error"


class FinishReason(StrEnum):
    """Why generation of one sample ended."""

    ANSWER_COMPLETE = "answer_complete"
    STOP_STRING = "stop_string"
    EOS = "eos"
    LENGTH = "length"
    LOOP = "loop"
    PROMPT_TOO_LONG = "prompt_too_long"
    ENGINE_ERROR = "engine_error"


ReasoningEnd = Literal["model", "budget", "loop", "none"]
EvalPlusStatus = Literal["pass", "fail", "timeout"]


# ── tasks: what the sandboxed checker needs to decide a verdict ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ProblemFileTask:
    """One of our problem files; the checker executes `source` (reference, CASES, accept), never the parent."""

    source: str
    kind: Literal["problem_file"] = "problem_file"


@dataclass(frozen=True, slots=True)
class AssertTask:
    """Statements (asserts, or a `check(candidate)` function) that run in the checker against the proxied entry point.

    `prelude` is executed first (HumanEval: the prompt, for its helpers); `call_check` runs `check(<entry point>)` after.
    `canonical` is a whole right program, where one is given; it only says how often the test calls a program that passes.
    """

    test: str
    prelude: str = ""
    call_check: bool = False
    canonical: str = ""
    kind: Literal["assert"] = "assert"


@dataclass(frozen=True, slots=True)
class EvalPlusTask:
    """A task in EvalPlus's layout: inputs as published; expected values are the canonical solution's.

    `suite` names the rules that hold: those of HumanEval+ or MBPP+, or none but equality ("own").

    `canonical` is prompt + canonical solution. `atol` is the task's absolute tolerance. `packed_record` is the published
    record, zlib-compressed; its inputs are opened where they are used (judging/inputs.py): parsed, all tasks take 100 MB.
    `reference_limit_s` bounds what the canonical solution may take over all inputs.
    """

    suite: Literal["humaneval+", "mbpp+", "own"]
    task_id: str
    canonical: str
    packed_record: bytes = field(repr=False)
    atol: float
    reference_limit_s: float = 3600.0
    kind: Literal["evalplus"] = "evalplus"


Task = ProblemFileTask | AssertTask | EvalPlusTask


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of one suite: what the model sees (`statement`) and what the checker uses (`task`).

    `statement` is imports + signature + docstring, without a body. `data_hash` is the sha256 of the problem's file or record.
    `level` is "" where a suite has no levels. `origin` is the file (and line) of a problem that is not ours, for messages.
    """

    id: str
    suite: str
    level: Level | Literal[""]
    entry_point: str
    statement: str
    data_hash: str
    task: Task
    title: str = ""
    topics: tuple[str, ...] = ()
    origin: str = ""


# ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF on this machine, checked. `paths` has more than one entry for a split GGUF; the first one is loaded."""

    name: str
    paths: tuple[str, ...]
    size_bytes: int
    sha256: str
    alias: str = ""
    quant: str = ""
    source: str = ""

    @property
    def path(self) -> str:
        """The file that llama.cpp is given."""
        return self.paths[0]


# ── prompts and generation ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Prompt:
    """One problem in one style, rendered to the exact text that the model reads.

    `hash` is the sha256 of the text before the chat template; `template_hash` that of the chat template ("" = none, a
    completion prompt). `add_special` asks the tokenizer for BOS/EOS (false where the template wrote BOS itself).
    """

    problem_id: str
    style: str
    text: str
    hash: str
    template_hash: str
    add_special: bool
    is_completion: bool = False
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    """How an answer may reason: at most `budget` tokens behind `opening`, until the model writes `closing`.

    When the budget is spent, `sequence` is fed as prompt tokens; "" = it is not known how to close, and the sample ends there.
    """

    budget: int
    opening: str
    closing: str
    sequence: str


@dataclass(frozen=True, slots=True)
class Request:
    """One sample asked of an engine. `seed` is already derived from the run's seed and the key.

    `max_tokens` bounds the tokens outside reasoning; `thinking` None = reasoning is not watched and counts as answer.
    """

    key: str
    text: str
    add_special: bool
    seed: int
    max_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    entry_point: str = ""
    early_stop: bool = True
    is_completion: bool = False
    thinking: Thinking | None = None
    loop_stop: bool = True


@dataclass(frozen=True, slots=True)
class Generation:
    """One sample as the engine gives it back; the raw text is kept for ever and never edited.

    Seconds are wall time. `cost_s` is this sample's share of the busy engine's wall time (contracts §6): the costs of a run
    add up to it. `prompt_tokens` counts all prompt tokens, `shared_prefix_tokens` those that were decoded for another
    sequence and copied. `start_offset_s` counts from the engine's first request. `completion_tokens` are the model's own;
    `reasoning_tokens` of them are reasoning, which cost `reasoning_s` of `cost_s`. A closing sequence that was fed stands in
    `text` and counts as prompt.
    """

    key: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int = 0
    shared_prefix_tokens: int = 0
    completion_tokens: int = 0
    queue_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    ttft_s: float | None = None
    cost_s: float = 0.0
    start_offset_s: float = 0.0
    width: int = 1
    peak_rss_bytes: int | None = None
    energy_j: float | None = None
    reasoning_end: ReasoningEnd = "none"
    reasoning_tokens: int = 0
    reasoning_s: float = 0.0
    error: str = ""


# ── extraction ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """One top-level statement of parsed code. Lines are 1-based and inclusive, decorators belong to their function.

    `kind`: import, future_import, function, class, assign, docstring, other. `defines` and `uses` are sorted identifiers.
    `has_body` is false for a function whose body is only docstring, `pass`, `...` or `raise NotImplementedError`.
    """

    kind: str
    first_line: int
    last_line: int
    defines: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    has_return: bool = False
    has_body: bool = True
    decorated: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """What `ast.parse` says of a text: its top-level items, or a syntax error (`error` set, `error_line` 1-based)."""

    items: tuple[OutlineItem, ...] = ()
    error: str = ""
    error_line: int = 0


@dataclass(frozen=True, slots=True)
class Extraction:
    """The program taken from a raw answer.

    `code` is what will be executed ("" = no code found). `format_ok` is true when the answer keeps the output contract: exactly
    one closed fenced Python block, which defines the entry point. `how` names the rule that found the code; `notes` says
    what was repaired. `reasoning` is the text of reasoning tags, stripped before extraction.
    """

    code: str
    format_ok: bool
    how: str
    notes: tuple[str, ...] = ()
    reasoning: str = ""
    mode: Literal["default", "evalplus"] = "default"


# ── execution ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one candidate program. `wall_s` bounds the whole program, `call_s` one call."""

    wall_s: float = 10.0
    call_s: float = 5.0
    cpu_s: float = 30.0
    memory_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """One program to be judged. `id` is the caller's and comes back with the Execution."""

    id: str
    code: str
    entry_point: str
    task: Task
    limits: Limits = field(default_factory=Limits)
    comparator: Literal["evalplus", "strict"] = "strict"


@dataclass(frozen=True, slots=True)
class Failure:
    """The first failing test: type-tagged reprs of at most 2 kB each."""

    input: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Execution:
    """What the sandbox and the judge say of one Job.

    `detail` is free text from a closed shape: crash:SIGSEGV, exit, violation, import:pandas, unsupported_type, … `cpu_s` is the
    candidate's process clock, `peak_rss_bytes` its high-water mark, both read from outside.
    """

    job_id: str
    outcome: Outcome
    detail: str = ""
    message: str = ""
    tests_total: int = 0
    tests_passed: int = 0
    base_status: EvalPlusStatus | None = None
    plus_status: EvalPlusStatus | None = None
    failure: Failure | None = None
    cpu_s: float | None = None
    wall_s: float | None = None
    peak_rss_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Isolation:
    """How untrusted code is kept in: tier A-D, the layers in force, and per property who enforces it (verified by attack)."""

    tier: str
    layers: tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)


# ── efficiency ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Ratio:
    """candidate / reference with a 95 % interval; n = pairs of measurements."""

    value: float
    low: float
    high: float
    n: int

    @property
    def verdict(self) -> Literal["no difference", "slower", "faster"]:
        """An interval that spans 1 reads "no difference"."""
        if self.low > 1.0:
            return "slower"
        return "faster" if self.high < 1.0 else "no difference"
