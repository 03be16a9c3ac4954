"""Crashes and endings as the parent sees them, with a scripted process in place of llama.cpp's."""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from cpu_codegen.engine import llama, outstanding
from cpu_codegen.engine.process import EngineDied
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError, UsageError
from cpu_codegen.packaged import demo_model
from cpu_codegen.schema import FinishReason, Generation, Request

INFO = {
    "build": "b",
    "cpu_flags": "",
    "model": "m",
    "parameters": 1,
    "memory_kind": "attention",
    "energy": "not measured",
    "speculation": "lookup, where it pays",
    "loading": "mapped",
    "calibration": {"1": 10.0, "2": 19.0, "4": 18.0, "8": 30.0, "16": 30.5},
    "calibration_s": 1.0,
}
DONE = {"event": "done", "aborted": False, "totals": {"steps": 1}}


class ScriptedProcess:
    """Answers every key; dies where the script says, after having started all that were asked for."""

    deadly: ClassVar[dict[str, int]] = {}
    dies_at_load: int | None = None
    made: ClassVar[list[ScriptedProcess]] = []

    def __init__(self, **_: Any) -> None:
        self.events: list[Any] = []
        self.batches: list[list[str]] = []
        self.pid = 1
        self.closed = False
        ScriptedProcess.made.append(self)

    def send(self, message: dict[str, Any]) -> None:
        """Plays the worker's part."""
        if message["do"] == "open":
            died = EngineDied(self.dies_at_load)
            self.events.append(died if self.dies_at_load is not None else {"event": "ready", "info": INFO})
        elif message["do"] == "run":
            keys = [request["key"] for request in message["requests"]]
            self.batches.append(keys)
            self.events += [{"event": "started", "key": key} for key in keys]
            for key in keys:
                if self.deadly.get(key):
                    self.deadly[key] -= 1
                    self.events.append(EngineDied(-11))
                self.events.append({"event": "generation", "generation": asdict(answer(key))})
            self.events.append(DONE)
        elif message["do"] == "abort":
            self.events = [DONE]

    def expect_questions(self) -> None:
        """Nothing to get ready."""

    def next(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next event of the script."""
        event = self.events.pop(0)
        if isinstance(event, EngineDied):
            raise event
        return dict(event)

    def log_tail(self) -> str:
        """What a dying llama.cpp wrote."""
        return "ggml_abort: GGML_ASSERT(x) failed\n"

    def close(self) -> None:
        """Noted."""
        self.closed = True


def answer(key: str) -> Generation:
    """The scripted answer."""
    return Generation(key, f"text of {key}", FinishReason.EOS)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedProcess]:
    """The scripted process instead of the real one."""
    monkeypatch.setattr(llama, "EngineProcess", ScriptedProcess)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(ScriptedProcess, "deadly", {})
    monkeypatch.setattr(ScriptedProcess, "made", [])
    monkeypatch.setattr(ScriptedProcess, "dies_at_load", None)
    return ScriptedProcess


def engine(**fields: Any) -> llama.LlamaEngine:
    """An engine on the demo model's file."""
    return llama.LlamaEngine(EngineSettings(str(demo_model()), "0" * 64, ctx_tokens=512, **{"parallel": 4, **fields}))


def requests(*keys: str) -> list[Request]:
    """One request a key."""
    return [Request(key=key, text=key, add_special=True, seed=0, max_tokens=9) for key in keys]


def test_after_a_crash_the_suspects_are_asked_again_alone(process: type[ScriptedProcess]) -> None:
    """One crash costs nobody an answer: what was in flight is asked again one by one, each exactly once more."""
    process.deadly["b"] = 1
    found = list(engine().run(requests("a", "b", "c")))
    assert sorted(g.key for g in found) == ["a", "b", "c"]
    assert all(g.text == f"text of {g.key}" for g in found)
    assert [batch for made in process.made for batch in made.batches] == [["a", "b", "c"], ["b"], ["c"]]


def test_a_sample_that_crashes_alone_twice_is_an_engine_error(process: type[ScriptedProcess]) -> None:
    """It names the signal and the log's last error; all others get their answers."""
    process.deadly["b"] = 3
    found = {g.key: g for g in engine().run(requests("a", "b", "c"))}
    assert found["b"].finish_reason is FinishReason.ENGINE_ERROR
    assert "SIGSEGV" in found["b"].error
    assert "GGML_ASSERT" in found["b"].error
    assert [found[key].text for key in "ac"] == ["text of a", "text of c"]
    assert all(made.closed for made in process.made[:-1]), "a dead process is cleared away"


def test_an_engine_that_dies_at_load_names_the_cause(process: type[ScriptedProcess]) -> None:
    """A kill while loading is memory, an illegal instruction another CPU's build, a segfault the file."""
    for returncode, kind, word in ((-9, MachineError, "memory"), (-4, MachineError, "another CPU")):
        process.dies_at_load = returncode
        with pytest.raises(kind, match=word):
            engine()
    process.dies_at_load = -11
    with pytest.raises(IntegrityError, match="SIGSEGV") as caught:
        engine()
    assert caught.value.remedy


def test_a_great_many_requests_go_in_several_batches(
    process: type[ScriptedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No frame grows without bound; every key gets its answer once."""
    monkeypatch.setattr(outstanding, "MOST_AT_ONCE", 2)
    assert [g.key for g in engine().run(requests(*"abcde"))] == [*"abcde"]
    assert [batch for made in process.made for batch in made.batches] == [["a", "b"], ["c", "d"], ["e"]]


def test_a_frame_holds_no_more_than_the_other_side_reads(
    process: type[ScriptedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long prompts go in several batches too; one that is longer than all of that goes alone."""
    monkeypatch.setattr(outstanding, "MOST_CHARACTERS", 5)
    texts = zip("abcd", ("xx", "xxx", "x" * 9, "x"), strict=True)
    asked = [Request(key=key, text=text, add_special=True, seed=0, max_tokens=9) for key, text in texts]
    assert [g.key for g in engine().run(asked)] == [*"abcd"]
    assert [batch for made in process.made for batch in made.batches] == [["a", "b"], ["c"], ["d"]]


def test_an_engine_that_dies_before_it_begins_ends_the_run() -> None:
    """Twice in a row: it would do so whatever is asked. Answers in between begin the count anew."""
    left = outstanding.Outstanding(requests("a", "b", "c"))
    assert left.crashed([]) == []
    left.answered("a")
    assert (left.crashed([]), left.is_hopeless) == ([], False)
    assert (left.crashed([]), left.is_hopeless) == ([], True)


def test_an_abort_before_the_first_step_keeps_the_process() -> None:
    """The steps that tell a deadline's pace may be stopped like all others: the worker says so and waits for the next command."""
    pytest.importorskip("llama_cpp")
    from cpu_codegen.engine import worker
    from cpu_codegen.engine.backend import Aborted

    def prepare(*_: object, **__: object) -> None:
        raise Aborted

    sent: list[dict[str, Any]] = []
    opened = SimpleNamespace(abort=SimpleNamespace(clear=lambda: None), prepare=prepare)
    wire, inbox = SimpleNamespace(send=sent.append), SimpleNamespace()
    worker._run(wire, inbox, opened, {"requests": [], "width": 1})  # type: ignore[arg-type]
    assert sent == [{"event": "done", "aborted": True, "totals": {}}]


def test_leaving_a_run_stops_the_engine_but_keeps_the_model(process: type[ScriptedProcess]) -> None:
    """A caller that stops in the middle (Ctrl-C) aborts the step; the next run needs no new process."""
    opened = engine()
    running = opened.run(requests("a", "b"))
    assert next(running).key == "a"
    assert isinstance(running, Generator)
    running.close()
    assert [g.key for g in opened.run(requests("c"))] == ["c"]
    assert len(process.made) == 1
    opened.close()
    opened.close()


def test_the_width_is_calibrated_once(process: type[ScriptedProcess]) -> None:
    """The narrowest of the best widths is chosen, kept for this machine and model, and the info says where it came from."""
    first, second = engine(parallel="auto").info, engine(parallel="auto").info
    assert (first.width, first.width_source, second.width, second.width_source) == (8, "calibrated", 8, "cached")
    assert dict(second.calibration) == INFO["calibration"]
    assert engine(parallel=3).info.width == 3


def test_guessing_ahead_is_told_only_where_it_may_happen(process: type[ScriptedProcess]) -> None:
    """The manifest must not say of a batch that it guessed."""
    assert engine(parallel=1, draft="lookup").info.speculation == INFO["speculation"]
    assert engine(parallel=2, draft="lookup").info.speculation == "off"


@pytest.mark.parametrize(
    ("failure", "kind"), [("NoContext", "context"), ("LoadFailed", "load"), ("UnsupportedModel", "unsupported")]
)
def test_what_fails_while_opening_is_told_by_its_kind(failure: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A calibration for which there is no memory is no damaged file."""
    pytest.importorskip("llama_cpp")
    from cpu_codegen.engine import binding, opened, worker

    def fails(*_: object) -> None:
        raise getattr(binding, failure)("why")

    def leaves(code: int) -> None:
        raise SystemExit(code)

    sent: list[dict[str, Any]] = []
    calibrating = SimpleNamespace(info=fails)
    monkeypatch.setattr(opened, "Opened", (lambda _: calibrating) if failure == "NoContext" else fails)
    monkeypatch.setattr(worker, "_leave", leaves)
    with pytest.raises(SystemExit):
        worker._open(SimpleNamespace(send=sent.append), {})  # type: ignore[arg-type]
    assert sent == [{"event": "refused", "kind": kind, "why": "why"}]


@pytest.mark.parametrize(("failure", "kind"), [("NoContext", "context"), ("LoadFailed", "draft")])
def test_what_fails_before_a_run_is_told_by_its_kind(failure: str, kind: str) -> None:
    """Its context, or the draft model, which is loaded only then."""
    pytest.importorskip("llama_cpp")
    from cpu_codegen.engine import binding, worker

    def prepare(*_: object, **__: object) -> None:
        raise getattr(binding, failure)("why")

    sent: list[dict[str, Any]] = []
    opened = SimpleNamespace(abort=SimpleNamespace(clear=lambda: None), prepare=prepare)
    worker._run(SimpleNamespace(send=sent.append), SimpleNamespace(), opened, {"requests": [], "width": 1})  # type: ignore[arg-type]
    assert sent == [{"event": "refused", "kind": kind, "why": "why"}]


def test_without_llama_cpp_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback of an import: what to install, and what works without it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MachineError, match="llama-cpp-python") as caught:
        engine()
    assert "pip install" in str(caught.value.remedy)


def test_more_sequences_than_llama_cpp_has_are_refused(process: type[ScriptedProcess]) -> None:
    """Before it is started, with the largest number that works."""
    with pytest.raises(UsageError, match="at most 256") as caught:
        engine(parallel=257)
    assert "256" in str(caught.value.remedy)
    assert not process.made


def test_a_missing_file_is_unavailable() -> None:
    """Before any process starts."""
    with pytest.raises(UnavailableError, match="no model at"):
        llama.LlamaEngine(EngineSettings("no/such.gguf", "", ctx_tokens=512))


def test_too_little_memory_is_said_before_loading(monkeypatch: pytest.MonkeyPatch, process: object) -> None:
    """With both figures, and without starting llama.cpp."""
    from cpu_codegen.machine import Machine

    monkeypatch.setattr(llama, "fingerprint", lambda: Machine(ram_available_bytes=100_000_000))
    with pytest.raises(MachineError, match=r"needs ≈ 15\d MB, 100 MB available"):
        engine()
    assert not ScriptedProcess.made


def test_a_cut_file_is_refused_by_its_header(tmp_path: Path) -> None:
    """llama.cpp never sees it."""
    path = tmp_path / "cut.gguf"
    path.write_bytes(demo_model().read_bytes()[:-1000])
    with pytest.raises(IntegrityError, match="the file is cut"):
        llama.LlamaEngine(EngineSettings(str(path), "", ctx_tokens=512))
