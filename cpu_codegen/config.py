"""What a run is asked to do, in the three classes of contracts: scope (may grow), settings (enter keys), session (free).

`Settings` is exactly what enters a generation's or a result's key besides model, problem and prompt; a run folder refuses
another value. Everything else in RunConfig may differ from one session of a run to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cpu_codegen.schema import Comparator, ExtractMode, Level, Limits, Sampling

Think = Literal["auto", "on", "off"] | int
"""What is asked of models that reason; a number is the budget of tokens, and means on."""

DEFAULT_MAX_TOKENS = 1024
DEFAULT_CTX = 4096
DEFAULT_THINK_TOKENS = 2048
MIN_SPEED_TOKENS_S = 5.0
"""Decoding in one stream: whoever waits for slower models calls them slow."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Enters the keys. `ctx_tokens` is the context of one sequence; None = the model's own, at most DEFAULT_CTX.

    `max_tokens` bounds the tokens outside reasoning. `recommended` takes the sampling from models.yaml in place of `sampling`; the
    keys hold its values. Settings that came later (`think`, `loop_stop`) stand in the keys only where they are not the default.
    """

    engine: Literal["llama.cpp", "replay", "served"] = "llama.cpp"
    sampling: Sampling = field(default_factory=Sampling)
    seed: int = 0
    max_tokens: int = DEFAULT_MAX_TOKENS
    ctx_tokens: int | None = None
    kv_type_k: str = "f16"
    kv_type_v: str = "f16"
    early_stop: bool = True
    think: Think = "auto"
    loop_stop: bool = True
    recommended: bool = False
    extract: ExtractMode = "default"
    comparator: Comparator = "strict"
    limits: Limits = field(default_factory=Limits)


LATER_SETTINGS: dict[str, Any] = {"think": "auto", "loop_stop": True}
"""Settings that earlier versions did not have, with the default that their folders stand for: left out of keys and records."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One `run`: one model, scope, settings, session options. `reuse`: a folder whose runs' answers are taken over.

    `stability`: so many problems are answered once more at the end (stability.py).
    """

    model: str
    suites: tuple[str, ...] = ("lowcost60",)
    styles: tuple[str, ...] = ("plain",)
    samples_per_problem: int = 1
    ids: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    limit: int | None = None
    prompt_file: str | None = None
    prompt_format: str | None = None
    settings: Settings = field(default_factory=Settings)
    # session options
    threads: int | None = None
    parallel: int | Literal["auto"] = "auto"
    draft: str | None = None
    workers: int | None = None
    efficiency_budget_s: float = 240.0
    offline: bool = False
    models_file: str | None = None
    allow_weak_isolation: bool = False
    keep_going: bool = False
    require: str | None = None
    force: bool = False
    mmap: bool = True
    mlock: bool = False
    max_ram_bytes: int | None = None
    reuse: str | None = None
    stability: int = 0
    engine_url: str | None = None
    model_sha256: str | None = None
    out: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """One command: the models, each run as `run` says (its own `model` aside), and when to end early. All of it session options.

    `max_hours` counts from the command's start without suspended time, `until` is the next HH:MM of the local clock. `race` stops
    models that are surely behind, `screen` = problems before the first look.
    """

    models: tuple[str, ...]
    run: RunConfig
    max_hours: float | None = None
    until: str | None = None
    race: bool = False
    screen: int | None = None
