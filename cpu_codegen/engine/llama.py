"""The llama.cpp engine, the parent's side: checks the file, starts the process, survives its crashes, maps its errors.

A native crash costs what was in flight, and that only for a moment (outstanding.py). Not covered: batching and llama.cpp itself,
which live in the engine's process (worker.py).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from cpu_codegen.engine import diagnosis, width
from cpu_codegen.engine.completeness import Completeness
from cpu_codegen.engine.events import read_generation
from cpu_codegen.engine.memory_limit import Enclosure, enclose
from cpu_codegen.engine.opening import checked, forget_files, open_settings
from cpu_codegen.engine.outstanding import Outstanding
from cpu_codegen.engine.process import EngineDied, EngineProcess
from cpu_codegen.engine.protocol import BEAT_S, EngineInfo, EngineSettings, Feel, Pulse, TimeLimit
from cpu_codegen.errors import MachineError
from cpu_codegen.machine import Machine, fingerprint
from cpu_codegen.schema import FinishReason, Generation, Request

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
        header = checked(settings)
        machine = fingerprint()
        self._open_settings = open_settings(settings, header, machine)
        self._enclosure = _enclosure(settings, machine)
        try:
            self._info = self._first_start(machine)
        except BaseException:
            self.close()
            raise

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
        if self._enclosure is not None:
            self._enclosure.close()

    @property
    def memory_limit(self) -> dict[str, Any] | None:
        """How --max-ram is enforced, and the most that the engine has used under it (None where nobody counts)."""
        return self._enclosure.record() if self._enclosure is not None else None

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
        chosen = known.width if known else given
        return EngineInfo(
            kind="llama.cpp",
            width=chosen,
            threads=threads,
            load_s=load_s,
            width_source="calibrated" if calibrate else "cached" if known else "given",
            calibration=known.rates if known else {},
            calibration_s=ready["calibration_s"] if calibrate else 0.0,
            memory_limit=self._enclosure.how if self._enclosure else "",
            speculation=ready["speculation"] if chosen == 1 else "off",
            **{name: ready[name] for name in _INFO_FIELDS},
        )

    def _start(self, *, calibrate: bool = False) -> dict[str, Any]:
        """A new process with the model loaded; what it says of itself."""
        limit = self._enclosure
        if limit is not None:
            forget_files(self._settings.model_path)
        process = EngineProcess(
            log_path=self._settings.log_path,
            decide=self._completeness.decide,
            enter=limit.enter if limit else (),
            asleep=self._settings.waits_asleep,
        )
        self._process = process
        process.send({"do": "open", "settings": {**self._open_settings, "calibrate": calibrate}})
        try:
            event = _next(process)
        except EngineDied as died:
            log = process.log_tail()
            self._end_process()
            self._raise_if_over_limit(died, log)
            raise diagnosis.died_loading(died.returncode, str(died), log, model=self._name) from None
        except BaseException:
            self._end_process()
            raise
        if event["event"] == "refused":
            log = process.log_tail()
            self._end_process()
            self._raise_if_over_limit(None, log)
            raise diagnosis.refused(event["kind"], event["why"], log, model=self._name)
        info: dict[str, Any] = event["info"]
        return info

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(
        self, requests: Iterable[Request], *, within: TimeLimit | None = None, feel: Feel | None = None
    ) -> Iterator[Generation]:
        """All generations, in the order in which they end; a crash is survived as the module's text says.

        Where time is limited, those that could not be begun are left out.
        """
        left = Outstanding(requests)
        if self._run_began_s is None:
            self._run_began_s = time.monotonic()
        while left:
            batch, wide = left.batch(), 1 if left.suspect else self._info.width
            started: list[str] = []
            try:
                for generation in self._attempt(batch, wide, started, within=within, feel=feel):
                    left.answered(generation.key)
                    yield generation
                if within is not None and any(request.key in left for request in batch):
                    within.late.extend(key for key in started if key in left)
                    return
            except EngineDied as died:
                error, given_up = self.why_died(died), left.crashed(started)
                if left.is_hopeless:
                    raise MachineError(f"{error}; it does so whatever is asked", remedy=diagnosis.LESS_MEMORY) from None
                for key in given_up:
                    yield Generation(key, "", FinishReason.ENGINE_ERROR, error=error)

    def _attempt(
        self, batch: list[Request], wide: int, started: list[str], *, within: TimeLimit | None, feel: Feel | None
    ) -> Iterator[Generation]:
        """One batch on the process that is there, or a new one."""
        if self._process is None:
            self._start()
        assert self._process is not None, "a started engine has a process"
        if any(request.early_stop and request.entry_point for request in batch):
            self._process.expect_questions()
        offset_s = time.monotonic() - (self._run_began_s or 0.0)
        command = {"do": "run", "requests": [asdict(request) for request in batch], "width": wide}
        if within is not None:
            command["within"] = {"left_s": within.left_s(), "each_s": within.each_s}
        if feel is not None:
            command["beat_s"] = BEAT_S
        with contextlib.closing(self.ask(command, within)) as events:
            for event in events:
                if event["event"] == "started":
                    started.append(event["key"])
                elif event["event"] == "working" and feel is not None:
                    feel(Pulse(**event["pulse"]))
                elif event["event"] == "generation":
                    yield read_generation(event["generation"], offset_s)
                elif event["event"] == "done":
                    self._add_totals(event["totals"])

    def ask(self, command: dict[str, Any], within: TimeLimit | None = None) -> Generator[dict[str, Any], None, None]:
        """A command's events up to "done", or until the time is up. Leaves no step running behind. EngineDied is for the caller
        to survive: ask again.
        """
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None, "a started engine has a process"
        process.send(command)
        ended = False
        try:
            while not ended:
                event = _next(process) if within is None else process.next()
                is_idle = event is None or event["event"] == "working"
                if is_idle and within is not None and within.left_s() <= 0:
                    return  # what was begun and is not there by now comes too late
                if event is None:
                    continue
                ended = event["event"] in ("done", "refused")
                if event["event"] == "refused":
                    raise diagnosis.refused(event["kind"], event["why"], process.log_tail(), model=self._name)
                yield event
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

    def why_died(self, died: EngineDied) -> str:
        """What its log says, in words; what is asked next starts a new process.

        Raises MachineError when --max-ram was the cause: every further try would end the same way.
        """
        log = self._process.log_tail() if self._process else ""
        self._end_process()
        self._raise_if_over_limit(died, log)
        return diagnosis.died_running(died.returncode, str(died), log)

    def _raise_if_over_limit(self, died: EngineDied | None, log: str) -> None:
        limit = self._enclosure
        if limit is None:
            return
        is_proven = bool(limit.kills())
        if is_proven or diagnosis.is_out_of_memory(died.returncode if died else None, log):
            raise diagnosis.over_limit(self._name, limit.limit_bytes, limit.how, proven=is_proven)

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
            raise MachineError(self.why_died(died), remedy=diagnosis.LESS_MEMORY) from None
        except BaseException:
            self._end_process()
            raise
        if event["event"] == "refused":
            raise diagnosis.refused(event["kind"], event["why"], process.log_tail(), model=self._name)
        return event


_INFO_FIELDS = ("build", "cpu_flags", "model", "parameters", "memory_kind", "energy", "loading")


def _enclosure(settings: EngineSettings, machine: Machine) -> Enclosure | None:
    if settings.max_ram_bytes is None:
        return None
    return enclose(settings.max_ram_bytes, cgroups_are_off=machine.memory_cgroup_disabled)


def _next(process: EngineProcess) -> dict[str, Any]:
    while (event := process.next()) is None:
        pass
    return event
