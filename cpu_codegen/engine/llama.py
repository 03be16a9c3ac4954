"""The llama.cpp engine, the parent's side: checks the file, starts the process, survives its crashes, maps its errors.

A native crash costs what was in flight: those samples are asked again, each alone; one that crashes alone twice is an engine_error.
Not covered: batching and llama.cpp itself, which live in the engine's process (worker.py).
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from cpu_codegen.engine import diagnosis, room, width
from cpu_codegen.engine.completeness import Completeness
from cpu_codegen.engine.process import EngineDied, EngineProcess
from cpu_codegen.engine.protocol import EngineInfo, EngineSettings
from cpu_codegen.engine.speculate import LOOKUP
from cpu_codegen.errors import MachineError, UnavailableError, UsageError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.machine import Machine, default_threads, fingerprint
from cpu_codegen.models.splits import split_parts
from cpu_codegen.schema import FinishReason, Generation, Request

CRASHES_ALONE = 2
BLIND_CRASHES = 2
ABORT_S = 1.0


class LlamaEngine:
    """Loads the model; `run` may be called again. Raises what diagnosis.py says when it cannot load."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._name = Path(settings.model_path).name
        self._completeness = Completeness()
        self._process: EngineProcess | None = None
        self._run_began_s: float | None = None
        self.totals: dict[str, Any] = {}
        header = _checked(settings)
        machine = fingerprint()
        self._open_settings = _open_settings(settings, header, machine)
        self._info = self._first_start(machine)

    @property
    def info(self) -> EngineInfo:
        """What was opened, its width and how that was found."""
        return self._info

    @property
    def pid(self) -> int | None:
        """The engine process, while there is one."""
        return self._process.pid if self._process else None

    def __enter__(self) -> LlamaEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the engine's process and the parser; may be called twice."""
        self._end_process()
        self._completeness.close()

    # ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _first_start(self, machine: Machine) -> EngineInfo:
        """Starts the process with a given, a cached or a new calibration of the width."""
        settings, opening = self._settings, self._open_settings
        threads, widest = opening["threads"], opening["widest"]
        key = width.cache_key(settings, machine, threads=threads, widest=widest)
        known = width.cached(key) if settings.parallel == "auto" else None
        calibrate = settings.parallel == "auto" and known is None and widest > 1
        began = time.monotonic()
        ready = self._start(calibrate=calibrate)
        load_s = time.monotonic() - began - ready["calibration_s"]
        if calibrate:
            known = width.Calibration(width.choose(ready["calibration"]), ready["calibration"])
            width.remember(key, known)
        given = settings.parallel if settings.parallel != "auto" else 1
        return EngineInfo(
            kind="llama.cpp",
            width=known.width if known else given,
            threads=threads,
            load_s=load_s,
            width_source="calibrated" if calibrate else "cached" if known else "given",
            calibration=known.rates if known else {},
            calibration_s=ready["calibration_s"] if calibrate else 0.0,
            **{name: ready[name] for name in _INFO_FIELDS},
        )

    def _start(self, *, calibrate: bool = False) -> dict[str, Any]:
        """A new process with the model loaded; what it says of itself."""
        process = EngineProcess(log_path=self._settings.log_path, decide=self._completeness.decide)
        self._process = process
        process.send({"do": "open", "settings": {**self._open_settings, "calibrate": calibrate}})
        try:
            event = _next(process)
        except EngineDied as died:
            log = process.log_tail()
            self._end_process()
            raise diagnosis.died_loading(died.returncode, str(died), log, model=self._name) from None
        except BaseException:
            self._end_process()
            raise
        if event["event"] == "refused":
            log = process.log_tail()
            self._end_process()
            raise diagnosis.refused(event["kind"], event["why"], log, model=self._name)
        info: dict[str, Any] = event["info"]
        return info

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, requests: Iterable[Request]) -> Iterator[Generation]:
        """All generations, in the order in which they end; a crash is survived as the module's text says."""
        left = {request.key: request for request in requests}
        if self._run_began_s is None:
            self._run_began_s = time.monotonic()
        alone: dict[str, int] = {}
        blind = 0
        while left:
            suspect = next(iter(alone), None)
            batch = [left[suspect]] if suspect else list(left.values())
            started: list[str] = []
            try:
                for generation in self._attempt(batch, 1 if suspect else self._info.width, started):
                    del left[generation.key]
                    alone.pop(generation.key, None)
                    yield generation
            except EngineDied as died:
                error = self._why_died(died)
                suspects = [key for key in started if key in left]
                blind += not suspects
                if blind >= BLIND_CRASHES:
                    raise MachineError(f"{error}; it does so whatever is asked", remedy=diagnosis.LESS_MEMORY) from None
                for key in suspects:
                    alone[key] = alone.get(key, 0) + bool(suspect)
                    if alone[key] >= CRASHES_ALONE:
                        del alone[key], left[key]
                        yield Generation(key, "", FinishReason.ENGINE_ERROR, error=error)

    def _attempt(self, batch: list[Request], wide: int, started: list[str]) -> Iterator[Generation]:
        """One batch on the process that is there, or a new one. Leaves no step running behind."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None, "a started engine has a process"
        offset_s = time.monotonic() - (self._run_began_s or 0.0)
        process.send({"do": "run", "requests": [asdict(request) for request in batch], "width": wide})
        if any(request.early_stop and request.entry_point for request in batch):
            process.expect_questions()
        ended = False
        try:
            while not ended:
                event = _next(process)
                ended = event["event"] in ("done", "refused")
                if event["event"] == "started":
                    started.append(event["key"])
                elif event["event"] == "generation":
                    yield _generation(event["generation"], offset_s)
                elif event["event"] == "refused":
                    raise diagnosis.refused(event["kind"], event["why"], process.log_tail(), model=self._name)
                elif event["event"] == "done":
                    self._add_totals(event["totals"])
        except EngineDied:
            ended = True
            raise
        finally:
            if not ended:
                self._abort(process)

    def _abort(self, process: EngineProcess) -> None:
        """Stops the run within ABORT_S: llama.cpp's abort callback first, a kill if that is not heard."""
        process.send({"do": "abort"})
        deadline = time.monotonic() + ABORT_S
        try:
            while (left_s := deadline - time.monotonic()) > 0:
                event = process.next(left_s)
                if event is not None and event["event"] == "done":
                    return
        except EngineDied:
            pass
        self._end_process()

    def _why_died(self, died: EngineDied) -> str:
        log = self._process.log_tail() if self._process else ""
        self._end_process()
        return diagnosis.died_running(died.returncode, str(died), log)

    def _add_totals(self, totals: dict[str, Any]) -> None:
        for name, value in totals.items():
            self.totals[name] = self.totals.get(name, 0) + value

    def measure(self, **command: Any) -> dict[str, Any]:
        """One measurement in the engine's process (timing.py), for `bench`."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None, "a started engine has a process"
        process.send({"do": "measure", **command})
        try:
            event = _next(process)
        except EngineDied as died:
            raise MachineError(self._why_died(died), remedy=diagnosis.LESS_MEMORY) from None
        except BaseException:
            self._end_process()
            raise
        if event["event"] == "refused":
            raise diagnosis.refused(event["kind"], event["why"], process.log_tail(), model=self._name)
        return event


_INFO_FIELDS = ("build", "cpu_flags", "model", "parameters", "memory_kind", "energy", "speculation")


def _next(process: EngineProcess) -> dict[str, Any]:
    while (event := process.next()) is None:
        pass
    return event


def _checked(settings: EngineSettings) -> GgufHeader:
    """The file's header, before llama.cpp sees the file; and whether there is a llama.cpp."""
    if not Path(settings.model_path).is_file():
        raise UnavailableError(f"no model at {settings.model_path}", remedy="-m with a .gguf file, or an alias")
    header = read_header(Path(settings.model_path))
    if settings.draft not in (None, LOOKUP):
        _check_draft(settings.draft, header)
    if importlib.util.find_spec("llama_cpp") is None:
        raise diagnosis.no_binding("it is not installed")
    return header


def _check_draft(path: str | None, header: GgufHeader) -> None:
    """A draft model must speak the same tokens."""
    draft = read_header(Path(path or ""))
    if draft.vocabulary != header.vocabulary or draft.text("tokenizer.ggml.pre") != header.text("tokenizer.ggml.pre"):
        raise UsageError(
            f"{draft.name} has another vocabulary than {header.name}",
            remedy="--draft with a smaller model of its family",
        )


def _open_settings(settings: EngineSettings, header: GgufHeader, machine: Machine) -> dict[str, Any]:
    """What the process is given: the settings, and the memory that its sequences may take."""
    for name in (settings.kv_type_k, settings.kv_type_v):
        if name not in room.BYTES_PER_VALUE:
            raise MachineError(f"no KV cache of type {name!r}", remedy=f"one of {', '.join(room.BYTES_PER_VALUE)}")
    parts = [Path(part) for part in split_parts(settings.model_path)]
    model_bytes = sum(part.stat().st_size for part in parts if part.is_file())
    available = machine.ram_available_bytes
    if settings.check_memory:
        room.refuse_without_memory(header.name, model_bytes, available)
    cell = room.kv_cell_bytes(header, (settings.kv_type_k, settings.kv_type_v))
    room_bytes = room.kv_room_bytes(model_bytes, available)
    return {
        "model_path": settings.model_path,
        "ctx_tokens": settings.ctx_tokens,
        "threads": settings.threads or default_threads(machine),
        "kv_type_k": settings.kv_type_k,
        "kv_type_v": settings.kv_type_v,
        "draft": settings.draft,
        "kv_cell_bytes": cell,
        "kv_room_bytes": room_bytes,
        "widest": max(1, min(width.WIDEST, room_bytes // max(1, cell * min(settings.ctx_tokens, 512)))),
    }


def _generation(fields: dict[str, Any], offset_s: float) -> Generation:
    generation = Generation(**{**fields, "finish_reason": FinishReason(fields["finish_reason"])})
    if offset_s < 0.01:
        return generation
    return replace(
        generation,
        queue_s=generation.queue_s + offset_s,
        start_offset_s=generation.start_offset_s + offset_s,
    )
