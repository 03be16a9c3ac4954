"""What is checked before llama.cpp sees a file, and what its process is given: the parent's side of opening a model."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Literal

from cpu_codegen.engine import diagnosis, room, width
from cpu_codegen.engine.layout import MOST_SEQUENCES
from cpu_codegen.engine.memory_limit import forget_file
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.engine.speculate import LOOKUP
from cpu_codegen.errors import MachineError, UnavailableError, UsageError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.machine import Machine, default_threads
from cpu_codegen.models.splits import split_parts
from cpu_codegen.sizes import format_bytes


def checked(settings: EngineSettings) -> GgufHeader:
    """The file's header, before llama.cpp sees the file; and whether there is a llama.cpp."""
    if not Path(settings.model_path).is_file():
        raise UnavailableError(f"no model at {settings.model_path}", remedy="-m with a .gguf file, or an alias")
    header = read_header(Path(settings.model_path))
    refuse_options(header, parallel=settings.parallel, draft=settings.draft)
    room.refuse_kv_types(header, (settings.kv_type_k, settings.kv_type_v))
    if importlib.util.find_spec("llama_cpp") is None:
        raise diagnosis.no_binding("it is not installed")
    return header


def refuse_options(header: GgufHeader, *, parallel: int | Literal["auto"], draft: str | None) -> None:
    """UsageError for what llama.cpp or this model cannot do, by headers alone: before a folder is made or anything is loaded."""
    refuse_width(parallel)
    if draft is not None and draft != LOOKUP:
        _check_draft(draft, header)


def refuse_width(parallel: int | Literal["auto"]) -> None:
    """UsageError for more sequences than llama.cpp has."""
    if parallel != "auto" and parallel > MOST_SEQUENCES:
        raise UsageError(
            f"--parallel {parallel}: llama.cpp decodes at most {MOST_SEQUENCES} sequences together",
            remedy=f"--parallel auto, or a number up to {MOST_SEQUENCES}",
        )


def _check_draft(path: str, header: GgufHeader) -> None:
    """A draft model must speak the same tokens."""
    draft = read_header(Path(path))
    if draft.vocabulary != header.vocabulary or draft.text("tokenizer.ggml.pre") != header.text("tokenizer.ggml.pre"):
        raise UsageError(
            f"{draft.name} has another vocabulary than {header.name}",
            remedy="--draft with a smaller model of its family",
        )
    if room.state_bytes(draft):
        raise UsageError(
            f"{draft.name} keeps recurrent state, which cannot forget a wrong guess",
            remedy="--draft with a model of full attention, or --draft lookup",
        )


def open_settings(settings: EngineSettings, header: GgufHeader, machine: Machine) -> dict[str, Any]:
    """What the process is given: the settings, and the memory that its sequences may take."""
    files = [settings.model_path, *([] if settings.draft in (None, LOOKUP) else [settings.draft])]
    model_bytes = sum(part.stat().st_size for file in files for part in _parts(file))
    available = room.within(machine.ram_available_bytes, settings.max_ram_bytes)
    if settings.check_memory:
        room.refuse_without_memory(header.name, model_bytes, available)
    if settings.mlock:
        _refuse_lock(model_bytes)
    cell, state = room.kv_cell_bytes(header, (settings.kv_type_k, settings.kv_type_v)), room.state_bytes(header)
    room_bytes, each = room.kv_room_bytes(model_bytes, available), cell * min(settings.ctx_tokens, 512) + state
    return {
        "model_path": settings.model_path,
        "ctx_tokens": settings.ctx_tokens,
        "threads": settings.threads or default_threads(machine),
        "kv_type_k": settings.kv_type_k,
        "kv_type_v": settings.kv_type_v,
        "draft": settings.draft,
        "mmap": settings.mmap,
        "mlock": settings.mlock,
        "kv_cell_bytes": cell,
        "state_bytes": state,
        "kv_room_bytes": room_bytes,
        "context_bounds": room.context_bounds(header, settings.ctx_tokens),
        "widest": max(1, min(width.WIDEST, room_bytes // max(1, each))),
    }


def _parts(model_path: str) -> list[Path]:
    """All files of a model that is split, or the one."""
    return [Path(part) for part in split_parts(model_path) if Path(part).is_file()]


def forget_files(model_path: str) -> None:
    """Drops a model's cached pages, so that they count where they are read next."""
    for part in _parts(model_path):
        forget_file(part)


def _refuse_lock(model_bytes: int) -> None:
    """llama.cpp would only warn in its log when the system does not let it lock memory."""
    allowed = _lockable_bytes()
    if allowed is not None and allowed < model_bytes:
        raise MachineError(
            f"--mlock: this user may lock {format_bytes(allowed)} of memory, the model has {format_bytes(model_bytes)}",
            remedy="ulimit -l unlimited, or leave --mlock out",
        )


def _lockable_bytes() -> int | None:
    """RLIMIT_MEMLOCK; None = no limit, or not known on this system."""
    try:
        import os
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] if hasattr(resource, "RLIMIT_MEMLOCK") else -1
    return None if limit in (-1, resource.RLIM_INFINITY) or os.geteuid() == 0 else limit
