"""What `plan` and `recommend` are asked: models, suites, settings, and the machine that they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.config import DEFAULT_MAX_TOKENS, MIN_SPEED_TOKENS_S, RunConfig, Think
from cpu_codegen.errors import UsageError
from cpu_codegen.requirements import Term
from cpu_codegen.sizes import parse_bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. No models = the whole registry. `at_rest`: of this machine with nothing else running."""

    models: tuple[str, ...] = ()
    suites: tuple[str, ...] = ("lowcost60",)
    styles: tuple[str, ...] = ("plain",)
    as_if: str | None = None
    ctx_tokens: int | None = None
    max_tokens: int = DEFAULT_MAX_TOKENS
    kv_type: str = "f16"
    max_ram_bytes: int | None = None
    min_speed: float = MIN_SPEED_TOKENS_S
    threads: int | None = None
    recalibrate: bool = False
    calibrate: bool = True
    models_file: Path | None = None
    offline: bool = False
    keep_going: bool = False
    think: Think = "auto"
    require: tuple[Term, ...] = ()
    at_rest: bool = False


def question_of(config: RunConfig) -> Question:
    """What a run asks of the plan before it starts, answered by what is known already: no network, no calibration."""
    settings = config.settings
    return Question(
        models=(config.model,),
        suites=config.suites,
        styles=config.styles,
        ctx_tokens=settings.ctx_tokens,
        max_tokens=settings.max_tokens,
        kv_type=f"k={settings.kv_type_k},v={settings.kv_type_v}",
        max_ram_bytes=config.max_ram_bytes,
        threads=config.threads,
        calibrate=False,
        models_file=Path(config.models_file) if config.models_file else None,
        offline=True,
        keep_going=config.keep_going,
        think=settings.think,
    )


@dataclass(frozen=True, slots=True)
class AsIf:
    """Parts of another machine; None = as here."""

    ram_bytes: int | None = None
    cores: int | None = None
    bandwidth_bytes_s: float | None = None


def parse_as_if(text: str) -> AsIf:
    """`ram=4G,cores=4,bandwidth=12G`. UsageError for anything else."""
    values: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        if name == "ram":
            values["ram_bytes"] = parse_bytes(value)
        elif name == "bandwidth":
            values["bandwidth_bytes_s"] = float(parse_bytes(value.removesuffix("/s")))
        elif name == "cores" and value.isdigit() and int(value):
            values["cores"] = int(value)
        else:
            raise UsageError(f"--as-if {part!r} is not known", remedy="--as-if ram=4G,cores=4,bandwidth=12G")
    if 0 in values.values():
        raise UsageError("--as-if with a zero is no machine", remedy="--as-if ram=4G,cores=4,bandwidth=12G")
    return AsIf(**values)
