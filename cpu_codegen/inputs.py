"""RunConfig → everything that a run needs before it starts: model file, ordered problems, rendered prompts, sample keys.

Covered: what is cheap and needs no llama.cpp. The sandbox is used only to try the references of a suite of one's own, before
anything is downloaded. Not covered: the run folder (session.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cpu_codegen.config import DEFAULT_CTX, LATER_SETTINGS, RunConfig, Settings
from cpu_codegen.engine.opening import refuse_options
from cpu_codegen.engine.speculate import LOOKUP
from cpu_codegen.errors import UsageError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.models.obtain import obtain
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.order import run_order, select, short_id
from cpu_codegen.progress import Progress, Silent
from cpu_codegen.prompts.chat_template import TEMPLATE_DATE, ChatTemplate
from cpu_codegen.prompts.formats import PROMPT_FORMATS
from cpu_codegen.prompts.styles import PromptText, load_prompt_text, render_prompt
from cpu_codegen.schema import ModelFile, Problem, Prompt, Sampling, Thinking
from cpu_codegen.store import digest, plain
from cpu_codegen.suites.load import Suite, open_suites
from cpu_codegen.thinking import (
    ThinkingPlan,
    context_wanted,
    plan_thinking,
    recommended_sampling,
    require_no_switch,
    require_room,
)

JUDGING = ("extract", "comparator", "limits")
"""Settings that decide verdicts: they enter result keys only."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer that the run asks for; `key` names it in generations.jsonl."""

    key: str
    problem: Problem
    prompt: Prompt
    index: int
    sampling: Sampling = field(default_factory=Sampling)
    thinking: Thinking | None = None


@dataclass(frozen=True, slots=True)
class RunInputs:
    """All that is fixed before the first token: what the keys are made of, and the work in its order.

    `served` is what a server told of itself (`--engine URL`). `settings` is the record that enters the keys, with the recommended
    sampling in place; `judging` is what decides verdicts. `own_suites`: source and left-out files of suites of one's own.
    """

    model: ModelFile
    spec: ModelSpec
    ctx_tokens: int
    template: ChatTemplate | None
    prompt_texts: tuple[PromptText, ...]
    problems: tuple[Problem, ...]
    order: dict[str, list[str]]
    suite_hashes: dict[str, str]
    samples: tuple[Sample, ...]
    settings: dict[str, Any]
    thinking: ThinkingPlan
    served: dict[str, Any] | None = None
    own_suites: dict[str, dict[str, Any]] = field(default_factory=dict)
    judging: dict[str, Any] = field(default_factory=dict)


def prepare(config: RunConfig, progress: Progress | None = None) -> RunInputs:
    """Loads the suites, resolves the model and fetches it if need be, renders all prompts and makes the keys."""
    suites = _suites(config, progress or Silent())
    found = _model(config, progress or Silent())
    spec, model, template, thinking = found.spec, found.model, found.template, found.thinking
    generation = config.settings
    if thinking.state == "none":
        generation = replace(generation, think="auto")  # ignored, so it is in no key either
    if generation.recommended:
        generation = replace(generation, sampling=recommended_sampling(thinking, spec))
    settings = settings_record(generation, found.ctx_tokens)
    ordered = {name: run_order(suite.problems, seed=config.settings.seed) for name, suite in suites.items()}
    chosen = [p for problems in ordered.values() for p in _chosen(problems, config)]
    if not chosen:
        raise UsageError(
            f"no problem of {', '.join(suites)} is asked for",
            remedy="--level and --ids that the suite has: problems list",
        )
    texts = tuple(_prompt_text(config, style, is_completion=template is None) for style in config.styles)
    return RunInputs(
        model=model,
        spec=spec,
        ctx_tokens=found.ctx_tokens,
        template=template,
        prompt_texts=texts,
        problems=tuple(chosen),
        order={name: [p.id for p in problems] for name, problems in ordered.items()},
        suite_hashes={name: digest([p.data_hash for p in suite.problems]) for name, suite in suites.items()},
        samples=tuple(
            replace(sample, sampling=generation.sampling, thinking=thinking.thinking)
            for sample in _samples(config, chosen, texts, model=model, template=template, settings=settings)
        ),
        settings=settings,
        thinking=thinking,
        served=found.served,
        own_suites={
            name: {"source": suite.source, "left_out": list(suite.left_out)}
            for name, suite in suites.items()
            if suite.source
        },
        judging=plain({name: getattr(config.settings, name) for name in JUDGING}),
    )


def _suites(config: RunConfig, progress: Progress) -> dict[str, Suite]:
    suites = open_suites(
        config.suites,
        offline=config.offline,
        keep_going=config.keep_going,
        allow_weak=config.allow_weak_isolation,
        progress=progress,
    )
    for suite in suites.values():
        for broken in suite.left_out:
            progress.say(f"left out: {broken}")
    return suites


@dataclass(frozen=True, slots=True)
class _Found:
    """A model as a file here or a server tells of it."""

    spec: ModelSpec
    model: ModelFile
    template: ChatTemplate | None
    ctx_tokens: int
    thinking: ThinkingPlan
    served: dict[str, Any] | None = None


def _model(config: RunConfig, progress: Progress) -> _Found:
    """Spec, file, template, reasoning and context of the model: of a file here, or as a server tells."""
    if config.engine_url is not None:
        from cpu_codegen.served_model import served_model

        require_no_switch(config.settings.think)
        found = served_model(config)
        plan = ThinkingPlan("auto", "none", note="the server's own: reasoning is counted, not bounded")
        return _Found(found.spec, found.model, found.template, found.ctx_tokens, plan, found.served.record())
    models_file = Path(config.models_file) if config.models_file else None
    spec, model = obtain(config.model, progress=progress, offline=config.offline, models_file=models_file)
    header = read_header(Path(model.path))
    template = chat_template(header, spec, config.prompt_format)
    thinking = plan_thinking(config.settings.think, spec, template)
    if template is not None:
        template = replace(template, variables=thinking.variables)
    ctx_tokens = context_tokens(config.settings, header, wanted=context_wanted(thinking, config.settings))
    require_room(thinking, config.settings, ctx_tokens, header.context_length or ctx_tokens)
    refuse_options(header, parallel=config.parallel, draft=draft_model(config.draft))
    return _Found(spec, model, template, ctx_tokens, thinking)


def draft_model(name: str | None) -> str | None:
    """What guesses ahead at width 1: nothing, "lookup", or the file of a model."""
    if name in (None, LOOKUP):
        return name
    from cpu_codegen.registry import local_file, resolve

    return local_file(resolve(str(name))).path


def _chosen(problems: list[Problem], config: RunConfig) -> list[Problem]:
    suite = problems[0].suite
    ids = [
        name
        for name in config.ids
        if "/" not in name or name.startswith(suite + "/") or any(name in (p.id, short_id(p)) for p in problems)
    ]
    if config.ids and not ids:
        return []
    return select(problems, ids=ids, levels=config.levels, limit=config.limit)


def _prompt_text(config: RunConfig, style: str, *, is_completion: bool) -> PromptText:
    path = Path(config.prompt_file) if config.prompt_file else None
    return load_prompt_text(style, is_completion=is_completion, prompt_file=path)


def _samples(
    config: RunConfig,
    problems: list[Problem],
    texts: tuple[PromptText, ...],
    *,
    model: ModelFile,
    template: ChatTemplate | None,
    settings: dict[str, Any],
) -> list[Sample]:
    """A problem's styles and samples stand together, so that a run cut short still compares them."""
    samples: list[Sample] = []
    for problem in problems:
        for text in texts:
            prompt = render_prompt(problem, text, template)
            for index in range(config.samples_per_problem):
                key = digest(model.sha256, problem.id, prompt.hash, prompt.template_hash, settings, index)
                samples.append(Sample(key, problem, prompt, index))
    return samples


def settings_record(settings: Settings, ctx_tokens: int) -> dict[str, Any]:
    """The settings that enter a generation's key (the judging ones enter result keys only)."""
    record: dict[str, Any] = plain(settings)
    for name in (*JUDGING, "recommended"):
        del record[name]
    for name, default in LATER_SETTINGS.items():
        if record[name] == default:
            del record[name]
    record["ctx_tokens"] = ctx_tokens
    record["template_date"] = list(TEMPLATE_DATE)
    return record


def context_tokens(settings: Settings, header: GgufHeader, *, wanted: int = 0) -> int:
    """The context of one sequence: as asked, else the model's own but at most DEFAULT_CTX, or what reasoning needs (`wanted`)."""
    trained = header.context_length or DEFAULT_CTX
    if settings.ctx_tokens is None:
        return min(trained, max(DEFAULT_CTX, wanted))
    if settings.ctx_tokens > trained:
        raise UsageError(
            f"--ctx {settings.ctx_tokens} is more than the {trained} tokens that this model was made for",
            remedy=f"--ctx {trained}",
        )
    return settings.ctx_tokens


def chat_template(header: GgufHeader, spec: ModelSpec, prompt_format: str | None) -> ChatTemplate | None:
    """The template in the file; else the format that the user or models.yaml names; else None: a base model."""
    bos, eos = header.bos_token or "", header.eos_token or ""
    if prompt_format == "completion":
        return None
    name = prompt_format or (None if header.chat_template else spec.prompt_format)
    if name is None:
        return ChatTemplate(header.chat_template, bos, eos, "gguf") if header.chat_template else None
    if name not in PROMPT_FORMATS:
        if prompt_format is None:
            return None
        known = ", ".join([*PROMPT_FORMATS, "completion"])
        raise UsageError(f"no prompt format {name!r}", remedy=f"--prompt-format with one of {known}")
    return ChatTemplate(PROMPT_FORMATS[name], bos, eos, f"format {name}")
