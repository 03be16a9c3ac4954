"""A model's file, a prompt, what is asked of an engine, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field

from cpu_codegen.sampling import Sampling
from cpu_codegen.schema.words import FinishReason, ReasoningEnd


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
