"""The program taken from an answer, how it is run, what the sandbox and the judge say of it, and how fast it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cpu_codegen.schema.problem import Task
from cpu_codegen.schema.words import Comparator, EvalPlusStatus, ExtractMode, Outcome


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
    mode: ExtractMode = "default"


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
    comparator: Comparator = "strict"


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
