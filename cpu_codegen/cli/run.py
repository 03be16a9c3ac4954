"""`cpu-codegen run`: one or several models over suites and styles, resumable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from cpu_codegen.cli.config_option import defaults_from_file
from cpu_codegen.cli.evaluate import evaluate
from cpu_codegen.cli.options import (
    ComparatorOption,
    Force,
    Format,
    Ids,
    Json,
    KeepGoing,
    KvType,
    MaxRam,
    Mlock,
    Mmap,
    ModelsFile,
    Offline,
    OutputFormat,
    Require,
    Styles,
    Suites,
    Think,
    Threads,
    WeakIsolation,
    Workers,
    comparator_of,
    kv_types,
    one_of,
    requirements,
    seconds,
    size,
    split_commas,
    thinking,
)
from cpu_codegen.config import DEFAULT_MAX_TOKENS, Campaign, RunConfig, Settings
from cpu_codegen.errors import UsageError
from cpu_codegen.schema import EXTRACT_MODES, LEVELS, ExtractMode, Level, Sampling


def run(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="Alias, alias@quant, hf:user/repo:quant, or a .gguf path; again for each further model.  [required]",
        ),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            is_eager=True,
            callback=defaults_from_file,
            help="Options from a YAML file, or from a run's manifest.json; what is typed goes first.",
        ),
    ] = None,
    suites: Suites = None,
    style: Styles = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N problems of the order.")] = None,
    ids: Ids = None,
    level: Annotated[list[str] | None, typer.Option("--level", help="Only these levels: easy, medium, hard.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="Samples per problem and style.")] = 1,
    temperature: Annotated[float, typer.Option(min=0.0, max=5.0, help="0 = greedy.")] = 0.0,
    top_p: Annotated[float, typer.Option(min=0.0, max=1.0, help="Nucleus sampling; 1 = off.")] = 1.0,
    top_k: Annotated[int, typer.Option(min=0, help="0 = off.")] = 0,
    min_p: Annotated[float, typer.Option(min=0.0, max=1.0, help="0 = off.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of sampling and of the order of problems.")] = 0,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer, in tokens; reasoning has its own (--think).")
    ] = DEFAULT_MAX_TOKENS,
    ctx: Annotated[
        int | None,
        typer.Option(
            min=64, help="Context of one sequence.  [default: the model's, at most 4096, or what --think needs]"
        ),
    ] = None,
    threads: Threads = None,
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="URL", help="Generate on an OpenAI-compatible server; -m names its model."),
    ] = None,
    model_sha256: Annotated[
        str | None, typer.Option("--model-sha256", metavar="HEX", help="With --engine: the digest of the file served.")
    ] = None,
    draft: Annotated[
        str | None, typer.Option(help="Guess ahead at --parallel 1, greedy: a smaller model of the family, or lookup.")
    ] = None,
    parallel: Annotated[
        str, typer.Option(help="Sequences decoded together: auto or a number; 1 for latency figures.")
    ] = "auto",
    early_stop: Annotated[bool, typer.Option(help="Stop as soon as the answer is complete.")] = True,
    think: Think = "auto",
    loop_stop: Annotated[
        bool, typer.Option(help="Stop what goes round in circles: 8 repeats of up to 64 tokens.")
    ] = True,
    sampling: Annotated[
        str | None, typer.Option(metavar="recommended", help="What the model's authors recommend, by models.yaml.")
    ] = None,
    extract: Annotated[
        str, typer.Option(help="How code is taken from answers: default, or evalplus (its sanitizer).")
    ] = "default",
    comparator: ComparatorOption = "strict",
    prompt_file: Annotated[Path | None, typer.Option(help="Your own prompt text, with {statement} in it.")] = None,
    prompt_format: Annotated[
        str | None, typer.Option(help="chatml, mistral, zephyr, llama-2, phi-2, alpaca, minicpm, completion.")
    ] = None,
    workers: Workers = None,
    efficiency_budget: Annotated[
        str, typer.Option(help="Time for measuring the answers' efficiency; 0 = do not measure.")
    ] = "4m",
    max_hours: Annotated[
        float | None, typer.Option("--max-hours", help="End after so many hours; what began by then is finished.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="HH:MM", help="End at this time of day.")] = None,
    race: Annotated[bool, typer.Option("--race", help="Stop models that are surely behind one no slower.")] = False,
    screen: Annotated[
        int | None, typer.Option("--screen", min=1, metavar="N", help="With --race: first look after N problems.")
    ] = None,
    stability: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Answer N problems once more, to count verdicts that chance changes."),
    ] = None,
    reuse: Annotated[
        str | None,
        typer.Option("--reuse", metavar="[DIR]", help="Take over answers with equal keys from runs in DIR (./runs)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The run folder; of several models their group's.  [default: ./runs/<utc>-<model>]"),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin a new folder even where an unfinished one could go on.")
    ] = False,
    offline: Offline = False,
    models_file: ModelsFile = None,
    allow_weak_isolation: WeakIsolation = False,
    kv_type: KvType = "f16",
    mmap: Mmap = True,
    mlock: Mlock = False,
    max_ram: MaxRam = None,
    force: Force = False,
    keep_going: KeepGoing = False,
    require: Require = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Evaluate models: generate, execute in the sandbox, measure, report. The same command resumes."""
    del config_file  # its callback has made the file's values the defaults of the others
    if model_sha256 is not None and engine is None:
        raise UsageError("--model-sha256 belongs to --engine URL", remedy="drop it: the file's own digest is taken")
    if not model and engine is None:
        from cpu_codegen.cli.outlook import suggest

        raise UsageError("run needs a model", remedy=f"-m {suggest(models_file, offline=offline)}")
    if engine is not None and (kv_type != "f16" or max_ram or mlock or not mmap):
        raise UsageError(
            "--kv-type, --max-ram, --mlock and --no-mmap are for an engine of ours", remedy="drop --engine"
        )
    _refuse_what_cannot_help(draft, parallel, threads, temperature=temperature)
    requirements(require)  # wrong ones end the command before it begins
    early_stop = early_stop and extract != "evalplus"
    kv_type_k, kv_type_v = kv_types(kv_type)
    settings = Settings(
        engine="served" if engine else "llama.cpp",
        sampling=Sampling(temperature, top_p, top_k, min_p) if temperature > 0 else Sampling(),
        seed=seed,
        max_tokens=max_tokens,
        ctx_tokens=ctx,
        kv_type_k=kv_type_k,
        kv_type_v=kv_type_v,
        early_stop=early_stop,
        think=thinking(think),
        loop_stop=loop_stop,
        recommended=_recommended(sampling, temperature),
        extract=cast(ExtractMode, one_of("--extract", extract, EXTRACT_MODES)),
        comparator=comparator_of(comparator),
    )
    config = RunConfig(
        model=_models(model)[0],
        suites=split_commas(suites) or ("lowcost60",),
        styles=split_commas(style) or ("plain",),
        samples_per_problem=n,
        ids=split_commas(ids),
        levels=tuple(cast(Level, one_of("--level", name, LEVELS)) for name in split_commas(level)),
        limit=limit,
        prompt_file=str(prompt_file) if prompt_file else None,
        prompt_format=prompt_format,
        settings=settings,
        threads=threads,
        parallel=_width(parallel, served=engine is not None),
        draft=draft,
        workers=workers,
        efficiency_budget_s=seconds(efficiency_budget, "--efficiency-budget"),
        offline=offline,
        models_file=str(models_file) if models_file else None,
        allow_weak_isolation=allow_weak_isolation,
        keep_going=keep_going,
        require=require,
        force=force,
        mmap=mmap,
        mlock=mlock,
        max_ram_bytes=size(max_ram),
        reuse=reuse,
        stability=stability or 0,
        engine_url=engine,
        model_sha256=model_sha256,
        out=str(out) if out else None,
        new=new,
    )
    campaign = Campaign(_models(model), config, max_hours=max_hours, until=until, race=race, screen=screen)
    evaluate(campaign, Format.JSON if json else output)


def _refuse_what_cannot_help(draft: str | None, parallel: str, threads: int | None, *, temperature: float) -> None:
    """Options that would be passed over in silence, or turn minutes into days."""
    if draft is not None and parallel not in ("auto", "1"):
        raise UsageError(f"--draft guesses ahead at width 1, not at --parallel {parallel}", remedy="--parallel 1")
    if draft is not None and temperature > 0:
        raise UsageError(
            f"--draft guesses greedy answers ahead, not at --temperature {temperature:g}", remedy="drop one of the two"
        )
    if threads is not None and threads > (logical := os.cpu_count() or threads):
        raise UsageError(
            f"--threads {threads}: this machine has {logical}; they would wait for each other", remedy=f"-t {logical}"
        )


def _models(names: list[str] | None) -> tuple[str, ...]:
    """Each -m, by comma as in `plan`; a file may have a comma in its name. Repeats are kept: they are refused."""
    found = [part for name in names or [""] for part in ([name] if Path(name).is_file() else name.split(","))]
    return tuple(part.strip() for part in found if part.strip() or len(found) == 1)


def _recommended(sampling: str | None, temperature: float) -> bool:
    """Whether models.yaml's sampling is wanted; it cannot be mixed with one that is given."""
    if sampling is None:
        return False
    one_of("--sampling", sampling, ("recommended",))
    if temperature > 0:
        raise UsageError("--sampling recommended and --temperature exclude each other", remedy="drop one of them")
    return True


def _width(text: str, *, served: bool) -> int | Literal["auto"]:
    """Before anything is fetched or made; how many requests a server takes at once is the server's affair."""
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--parallel {text!r} is no width", remedy="--parallel auto, or a number from 1")
    if not served:
        from cpu_codegen.engine.opening import refuse_width

        refuse_width(int(text))
    return int(text)
