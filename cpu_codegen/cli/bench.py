"""`cpu-codegen bench`: one model's speed, latency, memory and energy on this machine, one stream."""

from __future__ import annotations

import statistics
import sys
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import (
    Force,
    Format,
    Json,
    KvType,
    MaxRam,
    Mlock,
    Mmap,
    OutputFormat,
    kv_types,
    size,
    split_commas,
)
from cpu_codegen.errors import UsageError

if TYPE_CHECKING:
    from cpu_codegen.engine.bench import Profile, Row
    from cpu_codegen.engine.protocol import EngineInfo
    from cpu_codegen.machine import Machine
    from cpu_codegen.report.tables import Table
    from cpu_codegen.schema import ModelFile


def bench(
    model: Annotated[
        str, typer.Option("-m", "--model", help="Alias, alias@quant, hf:user/repo:quant, or a .gguf path.")
    ],
    prompts: Annotated[
        list[str] | None, typer.Option("-p", help="Prompt lengths, by comma.  [default: 128,512]")
    ] = None,
    generated: Annotated[
        list[str] | None, typer.Option("-g", help="Generated tokens, by comma.  [default: 64]")
    ] = None,
    depths: Annotated[
        list[str] | None, typer.Option("-d", help="Tokens of context before the test, by comma.  [default: 0]")
    ] = None,
    threads: Annotated[str, typer.Option("-t", "--threads", help="auto (scans), or thread counts by comma.")] = "auto",
    repeats: Annotated[int, typer.Option("--repeats", "-r", min=1, max=1000, help="Of every test.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the order and of the tokens.")] = 0,
    kv_type: KvType = "f16",
    mmap: Mmap = True,
    mlock: Mlock = False,
    max_ram: MaxRam = None,
    force: Force = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Measure a model's speed here: prompt (pp) and generation (tg) rates, latencies, load time, memory, energy.

    Numbers can be laid beside llama-bench's: same quantities, same names.
    """
    from cpu_codegen.busy import watch
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.engine.bench import bench as run_bench
    from cpu_codegen.engine.bench import candidates
    from cpu_codegen.engine.llama import LlamaEngine
    from cpu_codegen.engine.protocol import EngineSettings
    from cpu_codegen.machine import fingerprint
    from cpu_codegen.plan.fit import Load, refuse_unless_it_fits
    from cpu_codegen.registry import local_file, resolve

    lengths, tokens = _numbers("-p", prompts, (128, 512)), _numbers("-g", generated, (64,))
    behind, machine = _numbers("-d", depths, (0,)), fingerprint()
    counts = candidates(machine) if threads == "auto" else _numbers("-t", [threads], ())
    if not all(counts) or not counts:
        raise UsageError(f"-t {threads}: there is no measuring without a thread", remedy="-t auto, or -t 1,2,4")
    if not any([*lengths, *tokens]):
        raise UsageError("there is nothing to measure", remedy="-p 512 -g 64 -t auto")
    file, bars = local_file(resolve(model)), Bars()
    context = max(behind) + max([*lengths, *tokens])
    kv_type_k, kv_type_v = kv_types(kv_type)
    busy = watch()
    settings = EngineSettings(
        file.path,
        file.sha256,
        ctx_tokens=context,
        threads=max(counts),
        parallel=1,
        kv_type_k=kv_type_k,
        kv_type_v=kv_type_v,
        check_memory=False,
        mmap=mmap,
        mlock=mlock,
        max_ram_bytes=size(max_ram),
        waits_asleep=busy is not None and busy.crowds(max(counts)),
    )
    if not force:
        load = Load(file, context, (kv_type_k, kv_type_v), settings.max_ram_bytes)
        refuse_unless_it_fits(replace(load, smaller_context="-d and -p of {} tokens together"), machine)
    if busy is not None and (warning := busy.warning(max(counts))):
        bars.say(f"warning: {warning}")
    try:
        with LlamaEngine(settings) as engine:
            profile = run_bench(
                engine.measure,
                prompts=lengths,
                generated=tokens,
                depths=behind,
                threads=counts,
                scan=threads == "auto" and len(counts) > 1,
                repeats=repeats,
                seed=seed,
                machine=machine,
                progress=bars,
            )
            info, limit = engine.info, engine.memory_limit
    finally:
        bars.close()
    if profile.scan:
        _remember(profile, file, machine, (kv_type_k, kv_type_v))
    _render(Report(profile, file, info, machine, limit, (kv_type_k, kv_type_v)), Format.JSON if json else output)


def _remember(profile: Profile, file: ModelFile, machine: Machine, kv_types: tuple[str, str]) -> None:
    """For the commands that `recommend` prints."""
    from cpu_codegen.plan.benched import Benched, remember

    found = Benched(profile.threads, profile.scan[profile.threads], tuple(sorted(profile.scan)), *kv_types)
    remember(machine, file.sha256, found)


def _numbers(option: str, values: list[str] | None, default: tuple[int, ...]) -> list[int]:
    parts = split_commas(values)
    if not all(part.isdigit() and int(part) < 1 << 24 for part in parts):
        raise UsageError(f"{option} {','.join(parts)!r} is no list of numbers", remedy=f"{option} 1,2,4")
    return list(dict.fromkeys(map(int, parts))) or list(default)


@dataclass(frozen=True, slots=True)
class Report:
    """All that one bench has to say. `limit` is how --max-ram was enforced, `kv_types` the cache's types (K, V)."""

    profile: Profile
    file: ModelFile
    info: EngineInfo
    machine: Machine
    limit: dict[str, Any] | None
    kv_types: tuple[str, str]


def _render(report: Report, output: Format) -> None:
    from cpu_codegen.report.tables import write_table

    if output in (Format.JSON, Format.JSONL):
        _write_json(report, indent=1 if output is Format.JSON else None)
        return
    table = _fields(report) if output is Format.CSV else _speeds(report.profile, report.file)
    write_table(table, output, sys.stdout)
    stream = sys.stdout if output in (Format.TABLE, Format.MD) else sys.stderr
    for name, value in _facts(report):
        bullet = "- " if output is Format.MD else ""
        print(f"{bullet}{name}: {value}", file=stream)


def _speeds(profile: Profile, file: ModelFile) -> Table:
    from cpu_codegen.report.tables import Table

    columns = ("test", "threads", "tok/s", "±", "n", "first token s", "p50 ms", "p95 ms", "CPU %", "faults", "J/token")
    rows = [
        (
            row.test.name,
            row.test.threads,
            round(row.rate, 2),
            round(row.deviation, 2),
            row.repeats,
            _rounded(row.ttft_s, 3),
            _rounded(row.latency_p50_s, 2, scale=1000),
            _rounded(row.latency_p95_s, 2, scale=1000),
            round(100 * row.cpu),
            _rounded(row.minor_faults, 0),
            _rounded(row.joules_per_token, 3),
        )
        for row in profile.rows
    ]
    return Table(columns, [tuple(row) for row in rows], title=file.name, right=frozenset(columns[1:]))


def _fields(report: Report) -> Table:
    """For programs: a line a test, every field by its name."""
    from cpu_codegen.report.tables import Table

    records = [_record(row, report) for row in report.profile.rows]
    columns = [name for name in records[0] if not name.startswith("samples_")]
    return Table(tuple(columns), [tuple(record[name] for name in columns) for record in records])


def _record(row: Row, report: Report) -> dict[str, Any]:
    """A test by llama-bench's field names where the quantity is its own (ns = nanoseconds of a whole repetition), then ours."""
    from cpu_codegen.engine.backend import UBATCH_TOKENS

    nanoseconds = [round(1e9 * row.test.tokens / rate) for rate in row.rates]
    own = {k: v for k, v in asdict(row).items() if k not in ("test", "rate", "deviation", "rates")}
    return {
        "test": row.test.name,
        "model_filename": report.file.path,
        "model_type": report.info.model,
        "model_size": report.file.size_bytes,
        "model_n_params": report.info.parameters,
        "n_batch": UBATCH_TOKENS,
        "n_ubatch": UBATCH_TOKENS,
        "n_threads": row.test.threads,
        "type_k": report.kv_types[0],
        "type_v": report.kv_types[1],
        "n_prompt": row.test.prompt,
        "n_gen": row.test.generated,
        "n_depth": row.test.depth,
        "avg_ns": round(statistics.fmean(nanoseconds)),
        "stddev_ns": round(statistics.stdev(nanoseconds)) if len(nanoseconds) > 1 else 0,
        "avg_ts": row.rate,
        "stddev_ts": row.deviation,
        "samples_ns": nanoseconds,
        "samples_ts": list(row.rates),
        **own,
    }


def _rounded(value: float | None, digits: int, *, scale: float = 1.0) -> float | None:
    return None if value is None else round(value * scale, digits)


def _facts(report: Report) -> list[tuple[str, str]]:
    from cpu_codegen.sizes import format_bytes

    profile, info, machine = report.profile, report.info, report.machine
    memory = {name: "not measured" if v is None else format_bytes(v) for name, v in profile.memory.items()}
    facts = [
        ("load", f"{info.load_s:.2f} s, {info.loading}"),
        (
            "memory",
            f"peak {memory.get('peak_rss_bytes')} resident; now {memory.get('file_bytes')} of files (the model, shared) and "
            f"{memory.get('anonymous_bytes')} of its own; PSS {memory.get('pss_bytes')}",
        ),
        *_limit_words(report),
        ("energy", info.energy),
        ("clock", _clock(profile)),
        ("drift", "not measured: too few repeats" if profile.drift is None else f"{100 * (profile.drift - 1):+.1f} %"),
        ("machine", f"{machine.cpu}, {machine.state}"),
        ("build", f"{info.build}; {info.cpu_flags}"),
    ]
    if profile.scan:
        rates = ", ".join(f"{count}: {rate:.1f}" for count, rate in sorted(profile.scan.items()))
        facts.insert(0, ("threads", f"{profile.threads} is best (tok/s by count: {rates})"))
    return [*facts, *(("warning", text) for text in profile.warnings)]


def _limit_words(report: Report) -> list[tuple[str, str]]:
    from cpu_codegen.sizes import format_bytes

    limit = report.limit
    if limit is None:
        return []
    peak = "" if limit["peak_bytes"] is None else f"; {format_bytes(limit['peak_bytes'])} used at most"
    return [("limit", f"{format_bytes(limit['bytes'])}, enforced by {limit['enforced_by']}{peak}")]


def _clock(profile: Profile) -> str:
    if profile.clock_mhz is None:
        return "not measured: the kernel states no frequency"
    low, high = profile.clock_mhz
    throttled = "" if not profile.throttled else f", throttled {profile.throttled} times"
    return f"{low:.0f}–{high:.0f} MHz{throttled}"


def _write_json(report: Report, *, indent: int | None) -> None:
    """All that is known; the tests' fields as in _record."""
    import json

    from cpu_codegen.store import plain

    profile = report.profile
    record: dict[str, Any] = {
        "model": plain(report.file),
        "engine": plain(report.info),
        "machine": plain(report.machine),
        "memory_limit": report.limit,
        "tests": [_record(row, report) for row in profile.rows],
        **{k: v for k, v in asdict(profile).items() if k != "rows"},
    }
    json.dump(plain(record), sys.stdout, indent=indent, allow_nan=False)
    sys.stdout.write("\n")
