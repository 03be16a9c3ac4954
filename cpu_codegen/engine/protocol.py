"""What an engine is: settings in, then requests → generations, out of order, until closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cpu_codegen.schema import Generation, Request


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How to open a model. `ctx_tokens` is the context of one sequence (prompt and answer).

    `threads` None = `machine.default_threads()`. `parallel` is how many sequences are decoded together; "auto" calibrates.
    `draft` guesses ahead where it pays: "lookup", or the path of a smaller model of the same vocabulary; it only touches greedy
    answers at width 1. `check_memory` False loads even where memory looks too small. `mmap` False reads the file into memory of the
    engine's own; `mlock` keeps it there. `max_ram_bytes` puts the engine's process under a limit (memory_limit.py).
    `waits_asleep`: its threads do not spin, for cores that others keep busy (busy.py).
    """

    model_path: str
    model_sha256: str
    ctx_tokens: int
    threads: int | None = None
    parallel: int | Literal["auto"] = "auto"
    kv_type_k: str = "f16"
    kv_type_v: str = "f16"
    log_path: str | None = None
    draft: str | None = None
    check_memory: bool = True
    mmap: bool = True
    mlock: bool = False
    max_ram_bytes: int | None = None
    waits_asleep: bool = False


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What was opened. `build` names the binding and llama.cpp, `cpu_flags` what that build uses of the CPU.

    `width_source`: given, calibrated (just now), cached. `calibration` is width → decoded tokens per second, as measured.
    `loading` is how the model's file is held (mapped or read, locked or not), `memory_limit` who enforces --max-ram ("" = none).
    `memory_kind`: attention, swa (sliding window), recurrent or hybrid: what kind of state a sequence has.
    `timings`: whose clock seconds are by, where it is not the engine's own process (served.py).
    """

    kind: str
    width: int
    threads: int
    load_s: float
    build: str = ""
    cpu_flags: str = ""
    model: str = ""
    parameters: int = 0
    memory_kind: str = ""
    width_source: Literal["given", "calibrated", "cached"] = "given"
    calibration: Mapping[str, float] = field(default_factory=dict)
    calibration_s: float = 0.0
    speculation: str = "off"
    energy: str = "not measured"
    timings: str = ""
    loading: str = "mapped"
    memory_limit: str = ""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """When all answers must be complete: in `left_s()` seconds, less `each_s` for every sample begun (its scoring).

    Samples are begun only while they can end in time at `max_tokens` and the measured speed. `late` fills with the keys of those
    that were begun and did not end in time all the same.
    """

    left_s: Callable[[], float]
    each_s: float = 0.0
    late: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pulse:
    """How far a run is, told about twice a second while it goes on, in the middle of long answers too.

    `open`: samples begun and not complete; `open_tokens`: what they have written so far. `prompt_tokens` counts what was read since
    the engine began this run. `peak_rss_bytes`: its largest memory so far, where it can be known.
    """

    open: int = 0
    open_tokens: int = 0
    prompt_tokens: int = 0
    peak_rss_bytes: int | None = None


Feel = Callable[[Pulse], None]
"""Is given each pulse, between two generations, in the thread that iterates."""

BEAT_S = 0.5
"""Seconds between pulses, at least: people read no faster, and a step of a small model takes a thousandth."""


class Engine(Protocol):
    """Answers requests. `run` may be called again; `close` may be called twice and ends everything at once."""

    @property
    def info(self) -> EngineInfo:
        """What was opened."""
        ...

    def run(
        self, requests: Iterable[Request], *, within: TimeLimit | None = None, feel: Feel | None = None
    ) -> Iterator[Generation]:
        """One generation for every request, in the order in which they end; for fewer where time is limited."""
        ...

    def close(self) -> None:
        """Gives back the model's memory."""
        ...
