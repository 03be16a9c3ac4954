"""What the registry knows of a model and of one file of it; pure data. Absent facts are None, "" or 0-length, never invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cpu_codegen.sampling import Sampling

Kind = Literal["base", "instruct", "coder"]
Thinking = Literal["never", "always", "switchable"]
AgainstGreedy = Literal["never", "thinking", "always"]
CommercialUse = Literal["allowed", "conditions", "forbidden"]


@dataclass(frozen=True, slots=True)
class Geometry:
    """The shape that memory and speed follow from.

    `kv_layers` keep keys and values of the whole context, `window_layers` of the last `window` tokens only, `recurrent_layers` a
    state of fixed size. 0 = none; of the vocabulary: not known.
    """

    architecture: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    feed_forward: int = 0
    kv_layers: int = 0
    window_layers: int = 0
    window: int = 0
    recurrent_layers: int = 0
    experts: int = 0
    experts_used: int = 0
    expert_feed_forward: int = 0
    tied_head: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """Scores that others measured, of the same fine-tune unquantized; shown in a column of their own, never mixed with ours.

    One source in one setting: sources disagree, so a score never goes without both.
    """

    scores: Mapping[str, float]
    setting: str
    source: str
    precision: str = ""
    date: str = ""

    @property
    def by_evalplus(self) -> bool:
        """Whether EvalPlus's tests and prompts gave these scores, by whoever ran them."""
        return "evalplus" in self.setting.lower() or self.setting.startswith("greedy, HumanEval+ v")

    @property
    def is_completion(self) -> bool:
        """Whether the model went on after the prompt, without a chat template, as base models do."""
        words = self.setting.lower()
        return "direct completion" in words or ("base" in words and "chat" not in words)

    @property
    def thinks(self) -> bool:
        """Whether the model reasoned first."""
        return "thinking on" in self.setting.lower()


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How a family reasons: between `opening` and `closing`; `sequence` is what closes it in the middle ("" = not known).

    `switch` is the chat template's variable that turns it on and off ("" = none). `unasked`: whether it reasons when nobody says
    anything, for plans of files that are not here yet; the file's own template decides in a run.
    """

    opening: str
    closing: str
    sequence: str = ""
    switch: str = ""
    source: str = ""
    unasked: bool = True


@dataclass(frozen=True, slots=True)
class SamplingAdvice:
    """The sampling that a model's authors recommend, with reasoning on (`thinking`) and without; None = they say nothing.

    `against_greedy`: they advise against greedy decoding, never, with reasoning on, or always.
    """

    thinking: Sampling | None
    plain: Sampling | None
    against_greedy: AgainstGreedy
    source: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another publisher's file of the same model: "" and None where a fact is not known."""

    repo: str
    file: str
    source: str
    sha256: str = ""
    size_bytes: int | None = None
    revision: str = ""

    @property
    def name(self) -> str:
        """As `-m` takes it."""
        return f"hf:{self.repo}{'@' if self.revision else ''}{self.revision}/{self.file}"


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One GGUF as named, perhaps not here yet.

    `files` are names inside `repo` (more than one for a split GGUF), `sha256s` and `sizes` stand in the same order and are empty
    when unknown. `paths` is set when the name itself was a path. `revision` "" = the repo's main branch.
    """

    name: str
    alias: str = ""
    quant: str = ""
    repo: str = ""
    revision: str = ""
    files: tuple[str, ...] = ()
    sha256s: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    family: str = ""
    kind: Kind | None = None
    original: str = ""
    thinking: Thinking | None = None
    prompt_format: str | None = None
    context: int | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    licence: str = ""
    commercial_use: CommercialUse | None = None
    licence_note: str = ""
    geometry: Geometry | None = None
    geometry_note: str = ""
    published: tuple[Published, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    reasoning: Reasoning | None = None
    advice: SamplingAdvice | None = None
    note: str = ""
    source: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int | None:
        """All parts together; None when unknown."""
        return sum(self.sizes) if self.sizes else None

    @property
    def pinned(self) -> bool:
        """Whether a digest stands in the registry; otherwise the first download records the hub's own."""
        return bool(self.sha256s)
