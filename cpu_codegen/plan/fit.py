"""Refuses a model that does not fit, before anything is loaded, by the same sum that `plan` prints; says what would fit.

The sum is memory.py's for one sequence at the run's context and cache types; it is laid beside the machine's free memory, or
--max-ram where that is less. `--force` leaves this out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.engine.room import is_quantized, refuse_kv_types, within
from cpu_codegen.errors import CpuCodegenError, MachineError, UsageError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.machine import Machine, fingerprint
from cpu_codegen.plan.memory import ram
from cpu_codegen.plan.shape import shape_of_header
from cpu_codegen.progress import Silent
from cpu_codegen.schema import ModelFile
from cpu_codegen.sizes import format_bytes

_CONTEXTS = (2048, 1024, 512)
"""Smaller ones that are worth a suggestion: a prompt and a short answer still fit."""


@dataclass(frozen=True, slots=True)
class Load:
    """A model as it is about to be loaded. `smaller_context` is how to ask for a context of so many tokens."""

    model: ModelFile
    ctx_tokens: int
    kv_types: tuple[str, str] = ("f16", "f16")
    max_ram_bytes: int | None = None
    models_file: Path | None = None
    smaller_context: str = "--ctx {}"


def refuse_unless_it_fits(load: Load, machine: Machine | None = None) -> None:
    """Raises MachineError with both figures and the nearest choices that fit; silent where free memory is unknown."""
    room = within((machine or fingerprint()).ram_available_bytes, load.max_ram_bytes)
    header = read_header(Path(load.model.path))
    refuse_kv_types(header, load.kv_types)
    need = needed_bytes(load, header, load.ctx_tokens, load.kv_types)
    if room is None or need <= room:
        return
    is_limited = room == load.max_ram_bytes
    have = f"{format_bytes(room)} {'under --max-ram' if is_limited else 'available'}"
    raise MachineError(
        f"not enough memory for {load.model.name} (needs ≈ {format_bytes(need)} at a context of {load.ctx_tokens}, {have})",
        remedy=", or ".join([*_smaller(load, header, room), "--force to load it all the same"]),
    )


def needed_bytes(load: Load, header: GgufHeader, ctx_tokens: int, kv_types: tuple[str, str]) -> int:
    """What `plan` calls RAM: weights, cache, compute buffers, process. A split model's parts count together."""
    shape = shape_of_header(header, kv_types)
    rest = sum(Path(part).stat().st_size for part in load.model.paths[1:] if Path(part).is_file())
    return ram(shape, cells=ctx_tokens, width=1).needed_bytes + rest


def _smaller(load: Load, header: GgufHeader, room: int) -> Iterator[str]:
    """Options that make this model fit, then the nearest model that does."""
    for ctx in _CONTEXTS:
        if ctx < load.ctx_tokens and needed_bytes(load, header, ctx, load.kv_types) <= room:
            yield load.smaller_context.format(ctx)
            break
    if not is_quantized(load.kv_types[0]) and _fits_quantized(load, header, room):
        yield "--kv-type q8_0"
    if nearest := _nearest(load):
        yield f"-m {nearest}"


def _fits_quantized(load: Load, header: GgufHeader, room: int) -> bool:
    kv_types = ("q8_0", "q8_0")
    try:
        refuse_kv_types(header, kv_types)
    except UsageError:
        return False
    return needed_bytes(load, header, load.ctx_tokens, kv_types) <= room


def _nearest(load: Load) -> str:
    """The largest usable model of the registry that is smaller, as `plan` names it; "" where there is none."""
    from cpu_codegen.plan.question import Question
    from cpu_codegen.plan.survey import survey

    question = Question(
        (load.model.path,),
        ctx_tokens=load.ctx_tokens,
        kv_type=f"k={load.kv_types[0]},v={load.kv_types[1]}",
        max_ram_bytes=load.max_ram_bytes,
        models_file=load.models_file,
        offline=True,
        calibrate=False,
    )
    try:
        (plan,) = survey(question, progress=Silent()).plans
    except CpuCodegenError:
        return ""
    return plan.nearest
