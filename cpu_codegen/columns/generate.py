"""First column: every sample without a generation → one record of generations.jsonl.

The engine is loaded only when something is left to generate, and is gone before this column ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from cpu_codegen.busy import watch
from cpu_codegen.columns.in_time import time_for_answers
from cpu_codegen.columns.rate import Rate
from cpu_codegen.config import RunConfig
from cpu_codegen.engine.protocol import Engine, EngineInfo, EngineSettings, Feel, Pulse
from cpu_codegen.errors import IntegrityError
from cpu_codegen.inputs import RunInputs, Sample, draft_model
from cpu_codegen.machine import default_threads
from cpu_codegen.progress import Progress
from cpu_codegen.schema import Generation, Request
from cpu_codegen.session import Session
from cpu_codegen.store import digest, plain


def generate(session: Session, inputs: RunInputs, progress: Progress) -> Iterator[dict[str, Any]]:
    """Records for all samples that the folder lacks, in the order in which they end."""
    done = {record["key"] for record in session.folder.read("generations")}
    left = {sample.key: sample for sample in inputs.samples if sample.key not in done}
    progress.begin("generate", len(inputs.samples), len(inputs.samples) - len(left))
    if left:
        samples = list(left.values())
        ordered = samples if session.deadline is None else in_turn(samples)
        yield from _generate(ordered, session, inputs, progress)
    else:
        progress.end("nothing to do")


def in_turn(samples: list[Sample]) -> list[Sample]:
    """The suites' problems in turn, each suite in its own order: what ends early has not answered the first suite alone."""
    places: dict[str, dict[str, int]] = {}
    for sample in samples:
        suite = places.setdefault(sample.problem.suite, {})
        suite.setdefault(sample.problem.id, len(suite))
    return sorted(samples, key=lambda sample: places[sample.problem.suite][sample.problem.id])


def _generate(left: list[Sample], session: Session, inputs: RunInputs, progress: Progress) -> Iterator[dict[str, Any]]:
    by_key = {sample.key: sample for sample in left}
    requests = [request_for(sample, session.config) for sample in left]
    within = time_for_answers(session)
    if within is not None and within.left_s() <= 0:
        progress.end("no time left before the deadline")
        return
    _refuse_what_does_not_fit(session.config, inputs)
    _note_company(session, progress)
    progress.note("loading the model")
    with closing(open_engine(session, inputs)) as engine:
        rate = Rate(len(requests))
        if engine.info.memory_limit:
            progress.say(f"--max-ram is enforced by {engine.info.memory_limit}")
        _note_limit(session, engine)
        session.note_run(engine=plain(engine.info))
        _say_unused_draft(session.config, engine.info, inputs, progress)
        session.note(load_s=engine.info.load_s, width=engine.info.width, threads=engine.info.threads)
        for generation in engine.run(requests, within=within, feel=_shown(rate, progress)):
            rate.add(generation)
            progress.advance(rate.note())
            yield generation_record(by_key[generation.key], generation)
        _note_limit(session, engine)
        progress.end(rate.whole())
    if within is not None:
        _note_late(session, [by_key[key] for key in within.late])
        if rate.nothing and not within.late:
            progress.say(_too_long(session.config.settings.max_tokens, inputs.thinking.most_tokens))


def _shown(rate: Rate, progress: Progress) -> Feel:
    """Inside a long answer too, the bar says how fast it goes."""

    def feel(pulse: Pulse) -> None:
        rate.feel(pulse)
        progress.note(rate.note())

    return feel


def _note_late(session: Session, late: list[Sample]) -> None:
    """What was begun and cut off by the deadline stays in n as unknown."""
    for sample in late:
        session.unfinished[sample.key] = {"key": sample.key, **identity(sample)}


def _too_long(answer: int, reasoning: int) -> str:
    """Why nothing could be begun at all."""
    if not reasoning:
        return f"an answer of {answer} tokens would not end in time: more time, or a smaller --max-tokens"
    longest = f"{reasoning} tokens of reasoning and {answer} of an answer"
    return f"{longest} would not end in time: more time, a smaller --max-tokens, or --think with fewer"


def _note_company(session: Session, progress: Progress) -> None:
    """Other programs on our cores slow llama.cpp's threads out of proportion: said before, and kept with the session."""
    if session.config.engine_url is not None:
        return
    busy = watch()
    if busy is None:
        return
    threads = session.config.threads or default_threads()
    session.note(busy_cores=round(busy.used, 2), waits_asleep=busy.crowds(threads))
    if warning := busy.warning(threads):
        progress.say(f"warning: {warning}")


def _note_limit(session: Session, engine: Engine) -> None:
    """Who enforces --max-ram, and the most that the engine has used under it so far."""
    from cpu_codegen.engine.llama import LlamaEngine

    if isinstance(engine, LlamaEngine) and engine.memory_limit is not None:
        session.note(memory_limit=engine.memory_limit)


def open_engine(session: Session, inputs: RunInputs) -> Engine:
    """The llama.cpp engine in its own process, with every default that bites set on purpose; or a server's."""
    from cpu_codegen.engine.llama import LlamaEngine

    config, settings = session.config, session.config.settings
    width = config.parallel
    recorded = [s["width"] for s in session.manifest["sessions"] if s.get("width")]
    if width == "auto" and recorded:
        width = recorded[-1]  # a resumed run keeps its width: batched kernels sum in another order
    if config.engine_url is not None:
        return _served_engine(config, inputs, width)
    return LlamaEngine(
        EngineSettings(
            model_path=inputs.model.path,
            model_sha256=inputs.model.sha256,
            ctx_tokens=inputs.ctx_tokens,
            threads=config.threads,
            parallel=width,
            kv_type_k=settings.kv_type_k,
            kv_type_v=settings.kv_type_v,
            log_path=str(session.folder.path / "llama.log"),
            draft=draft_model(config.draft),
            check_memory=False,  # done, by plan's own sum
            mmap=config.mmap,
            mlock=config.mlock,
            max_ram_bytes=config.max_ram_bytes,
            waits_asleep=session.facts.get("waits_asleep", False),
        )
    )


def _refuse_what_does_not_fit(config: RunConfig, inputs: RunInputs) -> None:
    """Before anything is loaded; on somebody else's server memory is not ours to count."""
    from cpu_codegen.plan.fit import Load, refuse_unless_it_fits

    if config.engine_url is not None or config.force:
        return
    settings, known = config.settings, Path(config.models_file) if config.models_file else None
    kv_types = (settings.kv_type_k, settings.kv_type_v)
    refuse_unless_it_fits(Load(inputs.model, inputs.ctx_tokens, kv_types, config.max_ram_bytes, known))


def _served_engine(config: RunConfig, inputs: RunInputs, width: int | Literal["auto"]) -> Engine:
    """The server is asked once more: a model that changed since the keys were made must not answer under them."""
    from cpu_codegen.engine.served import ServedEngine
    from cpu_codegen.served_model import served_model

    found = served_model(config)
    if (found.model.sha256, found.template) != (inputs.model.sha256, inputs.template):
        raise IntegrityError(
            f"the server at {config.engine_url} tells another thing of itself than a moment ago",
            remedy="leave the server as it is while a run goes on; the same command again",
        )
    return ServedEngine(found.served, parallel=width)


def _say_unused_draft(config: RunConfig, info: EngineInfo, inputs: RunInputs, progress: Progress) -> None:
    """Nothing that was asked for is passed over in silence."""
    if config.draft is not None and (why := _why_no_guesses(info, inputs)):
        progress.say(f"note: --draft {config.draft} is not used: {why}")


def _why_no_guesses(info: EngineInfo, inputs: RunInputs) -> str:
    """Why nothing is guessed ahead in this run; "" where something may be."""
    if info.width > 1:
        return f"{info.width} samples are decoded together ({info.width_source} width); --parallel 1 guesses ahead"
    if any(sample.sampling.temperature > 0 for sample in inputs.samples):
        return "only greedy answers can be guessed ahead, these are sampled; --temperature 0 guesses ahead"
    if info.speculation == "off":
        return f"a model with {info.memory_kind} state cannot forget a wrong guess"
    return ""


def request_for(sample: Sample, config: RunConfig) -> Request:
    """The engine's view of a sample. Its seed is a hash of the run's seed and its key, so that order does not matter."""
    settings = config.settings
    return Request(
        key=sample.key,
        text=sample.prompt.text,
        add_special=sample.prompt.add_special,
        seed=int(digest(settings.seed, sample.key)[:8], 16),
        max_tokens=settings.max_tokens,
        sampling=sample.sampling,
        stop=sample.prompt.stop,
        entry_point=sample.problem.entry_point,
        early_stop=settings.early_stop,
        is_completion=sample.prompt.is_completion,
        thinking=sample.thinking,
        loop_stop=settings.loop_stop and settings.early_stop,  # who wants answers whole wants them all
    )


def identity(sample: Sample) -> dict[str, Any]:
    """What a sample answers, as its lines say it."""
    return {
        "problem_id": sample.problem.id,
        "suite": sample.problem.suite,
        "level": sample.problem.level,
        "style": sample.prompt.style,
        "index": sample.index,
    }


def generation_record(sample: Sample, generation: Generation) -> dict[str, Any]:
    """One line of generations.jsonl: the generation and what it answers."""
    return {
        "key": generation.key,
        **identity(sample),
        "prompt_hash": sample.prompt.hash,
        "is_completion": sample.prompt.is_completion,
        **{k: v for k, v in plain(generation).items() if k != "key"},
    }
