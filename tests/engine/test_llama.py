"""The real engine on the packaged demo model, one thread, a few prompts: what only llama.cpp itself can prove."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.columns.generate import request_for
from cpu_codegen.config import RunConfig
from cpu_codegen.engine import llama
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.protocol import EngineSettings, Pulse
from cpu_codegen.errors import IntegrityError, MachineError
from cpu_codegen.inputs import prepare
from cpu_codegen.packaged import demo_model
from cpu_codegen.schema import FinishReason, Request, Sampling

pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.model

TOKENS = 48


def settings(path: Path | None = None, **fields: object) -> EngineSettings:
    """One thread: many tests at once on few cores wait for each other's barriers otherwise."""
    return EngineSettings(
        str(path or demo_model()),
        "",
        **{"ctx_tokens": 1024, "threads": 1, "parallel": 4, **fields},  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def prompts() -> list[Request]:
    """Ten prompts as a run would ask them, with short answers."""
    config = RunConfig(model=str(demo_model()), limit=5, styles=("plain", "cot"))
    wanted = [request_for(sample, config) for sample in prepare(config).samples]
    return [replace(request, max_tokens=TOKENS, early_stop=False) for request in wanted]


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    """One engine of width 4 for all tests that leave it alive."""
    with LlamaEngine(settings()) as opened:
        yield opened


def texts(engine: LlamaEngine, requests: list[Request]) -> dict[str, str]:
    """The answers by key."""
    return {generation.key: generation.text for generation in engine.run(requests)}


def serial(requests: list[Request]) -> dict[str, str]:
    """The plainest loop there is: one prompt at a time, whole, then token by token."""
    from cpu_codegen.engine import binding
    from cpu_codegen.engine.context import Context

    binding.start_backend()
    model = binding.Model(str(demo_model()))
    context = Context(model, cells=1024, sequences=1, outputs=1, threads=1)
    sampler = context.new_sampler(Sampling(), 0)
    found = {}
    for request in requests:
        context.clear()
        tokens = model.tokenize(request.text, add_special=request.add_special)
        count = len(tokens)
        context.decode(tokens, range(count), [0] * count, [0] * (count - 1) + [1])
        token, written = context.sample(sampler, count - 1), b""
        for position in range(count, count + TOKENS):
            if token in model.ends:
                break
            written += model.piece(token)
            context.decode([token], [position], [0], [1])
            token = context.sample(sampler, 0)
        found[request.key] = written.decode(errors="replace")
    context.free_sampler(sampler)
    context.close()
    model.close()
    return found


@pytest.fixture(scope="module")
def one_by_one(prompts: list[Request]) -> dict[str, str]:
    """What the serial loop writes."""
    return serial(prompts)


def test_width_one_writes_what_a_serial_loop_writes(prompts: list[Request], one_by_one: dict[str, str]) -> None:
    """Sharing prefixes and feeding prompts in pieces changes no greedy text."""
    with LlamaEngine(settings(parallel=1)) as opened:
        found = list(opened.run(prompts))
    assert {g.key: g.text for g in found} == one_by_one
    assert all(g.ttft_s is not None and g.ttft_s > 0 for g in found)


def test_a_batch_writes_nearly_the_same(
    engine: LlamaEngine, prompts: list[Request], one_by_one: dict[str, str]
) -> None:
    """Kernels sum in another order, so a few texts may differ; most may not. Prefixes are decoded once, costs add up."""
    before = dict(engine.totals)
    found = list(engine.run(prompts))
    same = sum(g.text == one_by_one[g.key] for g in found)
    assert len(found) == len(prompts)
    assert same >= 0.7 * len(prompts)
    spent = {name: value - before.get(name, 0) for name, value in engine.totals.items()}
    fed = sum(g.prompt_tokens - g.shared_prefix_tokens for g in found)
    assert (spent["prompt_tokens"], spent["prefix_tokens"] > 0) == (fed, True)
    assert sum(g.cost_s for g in found) == pytest.approx(spent["busy_s"], rel=1e-6)
    assert all(g.ttft_s is None and g.width == 4 for g in found)
    assert all((g.peak_rss_bytes or 0) > demo_model().stat().st_size for g in found)


def test_samples_differ_by_seed_and_repeat_by_seed(engine: LlamaEngine, prompts: list[Request]) -> None:
    """One prompt, several seeds: different texts; the same seed among other neighbours' draws: the same text."""
    hot = [
        replace(prompts[0], key=str(seed), seed=seed, text="?", max_tokens=12, sampling=Sampling(3.0, 0.99, 500, 0.001))
        for seed in range(4)
    ]
    first = texts(engine, hot)
    assert len(set(first.values())) > 1
    others = [one if one.key == "2" else replace(one, seed=one.seed + 50) for one in hot]
    assert texts(engine, others)["2"] == first["2"]


def test_a_prompt_longer_than_the_context_is_marked_and_the_rest_goes_on(
    engine: LlamaEngine, prompts: list[Request]
) -> None:
    """prompt_too_long names both lengths; a prompt that leaves little room gets a shorter answer, shown as `length`."""
    long = replace(prompts[0], key="long", text="word " * 2000)
    found = {g.key: g for g in engine.run([long, prompts[1]])}
    assert found["long"].finish_reason is FinishReason.PROMPT_TOO_LONG
    assert "1024" in found["long"].error
    assert found[prompts[1].key].text


def test_a_run_is_felt_inside_its_answers(
    engine: LlamaEngine, prompts: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two steps it is told how much the open samples have written; the answers are those of a run without."""
    monkeypatch.setattr(llama, "BEAT_S", 0.0)
    pulses: list[Pulse] = []
    asked = [replace(request, max_tokens=8, early_stop=False) for request in prompts[:2]]
    felt = {one.key: one.text for one in engine.run(asked, feel=pulses.append)}
    assert felt == texts(engine, asked)
    assert any(pulse.open == 2 and pulse.open_tokens > 2 for pulse in pulses)
    assert max(pulse.prompt_tokens for pulse in pulses) > 100
    assert min(pulse.peak_rss_bytes or 1 for pulse in pulses) > 0


def test_a_crash_in_flight_costs_nobody_an_answer(prompts: list[Request]) -> None:
    """SIGSEGV from outside in the middle of a run: the engine is started anew and every key is answered once."""
    with LlamaEngine(settings(parallel=2)) as opened:
        keys: list[str] = []
        for generation in opened.run(prompts[:6]):
            if not keys and opened.pid:
                os.kill(opened.pid, signal.SIGSEGV)
            keys.append(generation.key)
            assert generation.finish_reason is not FinishReason.ENGINE_ERROR
    assert sorted(keys) == sorted(request.key for request in prompts[:6])


def test_a_run_that_is_left_stops_in_the_middle_of_a_prompt(engine: LlamaEngine, prompts: list[Request]) -> None:
    """llama.cpp's abort callback ends the step, so the process and its model stay for the next run."""
    pid = engine.pid
    long = [replace(prompts[0], key=f"k{i}", text=f"{i} word " * 300, max_tokens=400) for i in range(8)]
    running = engine.run([replace(prompts[0], max_tokens=1), *long])
    next(running)
    assert isinstance(running, Generator)
    running.close()
    assert texts(engine, prompts[:1])
    assert engine.pid == pid


def test_the_engine_dies_with_its_parent() -> None:
    """A parent killed with SIGKILL leaves no engine behind."""
    program = (
        "import sys, time\n"
        "from cpu_codegen.engine.llama import LlamaEngine\n"
        "from cpu_codegen.engine.protocol import EngineSettings\n"
        f"engine = LlamaEngine(EngineSettings({str(demo_model())!r}, '', ctx_tokens=512, threads=1, parallel=1))\n"
        "print(engine.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not _is_running(pid):
            return
        time.sleep(0.05)
    pytest.fail("the engine outlived its parent")


def _is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        (b"blk.0.attn_q.weight", b"blk.0.attn_z.weight", IntegrityError, r"lacks the tensor 'blk\.0\.attn_q\.weight'"),
        (b"llama.block_count", b"llama.black_count", IntegrityError, "block_count"),
    ],
)
def test_a_damaged_model_is_named(tmp_path: Path, old: bytes, new: bytes, kind: type[Exception], words: str) -> None:
    """What llama.cpp's log says becomes the error, with a remedy; the log itself is kept."""
    path, log = tmp_path / "damaged.gguf", tmp_path / "llama.log"
    path.write_bytes(demo_model().read_bytes().replace(old, new, 1))
    with pytest.raises(kind, match=words):
        LlamaEngine(settings(path, log_path=str(log)))
    assert "damaged.gguf" in log.read_text(errors="replace")


def test_an_unknown_architecture_is_this_machines_fault(tmp_path: Path) -> None:
    """A newer llama.cpp may know it: exit code 3 and how to upgrade."""
    data = demo_model().read_bytes()
    at = data.index(b"general.architecture") + len(b"general.architecture") + 4 + 8
    assert data[at : at + 5] == b"llama"
    path = tmp_path / "new.gguf"
    path.write_bytes(data[:at] + b"lhama" + data[at + 5 :])
    with pytest.raises(MachineError, match="lhama") as caught:
        LlamaEngine(settings(path))
    assert "upgrade" in str(caught.value.remedy)


def test_random_damage_never_hangs_or_takes_us_along(tmp_path: Path) -> None:
    """Bytes of the header turned at random: the model loads all the same, or there is an error with a remedy."""
    import random

    from cpu_codegen.errors import CpuCodegenError

    data, draw = demo_model().read_bytes(), random.Random(11)
    refusals: list[CpuCodegenError] = []
    for _ in range(6):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[draw.randrange(60_000)] = draw.randrange(256)
        path = tmp_path / "damaged.gguf"
        path.write_bytes(damaged)
        try:
            LlamaEngine(settings(path)).close()
        except CpuCodegenError as error:
            refusals.append(error)
    assert refusals
    assert all(error.remedy for error in refusals)
