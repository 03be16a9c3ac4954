"""What a refusing or dead engine's log says, in words: the cause and the remedy. Pure."""

from __future__ import annotations

import re
from pathlib import PurePath

from cpu_codegen.errors import CpuCodegenError, IntegrityError, MachineError, UsageError
from cpu_codegen.sizes import format_bytes

_ARCHITECTURE = re.compile(r"unknown model architecture: '([^']*)'")
_MISSING_TENSOR = re.compile(r"missing tensor '([^']*)'|tensor '([^']*)' not found")
_WRONG_SHAPE = re.compile(r"tensor '([^']*)' has wrong shape")
_TOKENIZER = re.compile(r"unknown (?:pre-)?tokenizer(?: type)?: '([^']*)'")
_MISSING_KEY = re.compile(r"key not found in model: (\S+)")
_UNKNOWN_TYPE = re.compile(r"invalid ggml type (\d+)")
_MEMORY = re.compile(
    r"failed to allocate|unable to allocate|out of memory|cannot allocate memory|bad_alloc|failed to mmap|mmap failed"
    r"|MemoryError|failed to map segment|thread creation failed|can't start new thread",
    re.IGNORECASE,
)
_LAST_ERROR = re.compile(r"^(?:llama_model_load|llama_init_from_model|load_tensors|\S+): (?:error[^:]*: )?(.+)$")

LESS_MEMORY = "--parallel 1, a smaller --ctx, a smaller quantization, or close other programs"
LESS_DEPTH = "shorter -p, -g and -d, a smaller quantization, or close other programs"
REBUILD = "pip install --upgrade --no-binary llama-cpp-python llama-cpp-python"


def no_binding(why: str) -> CpuCodegenError:
    """llama-cpp-python is absent, or its native library cannot be loaded."""
    return MachineError(
        f"llama-cpp-python cannot be imported ({why})",
        remedy="cpu-codegen doctor, or pip install llama-cpp-python; scoring and reports work without it",
    )


def refused(kind: str, why: str, log: str, *, model: str) -> CpuCodegenError:
    """The engine said no.

    `kind`: no_binding, unsupported, load, draft, context (of a run), depth (of a measurement), disk, numbers.
    """
    if kind == "no_binding":
        return no_binding(why)
    if kind == "unsupported":
        return UsageError(f"{model} cannot continue text: {why}", remedy="-m with a model that generates text")
    if kind in ("context", "depth"):
        remedy = LESS_MEMORY if kind == "context" else LESS_DEPTH
        return MachineError(f"llama.cpp gave no context for {model}: {why}", remedy=remedy)
    if kind == "disk":
        return MachineError(f"cannot keep what {model} says: {why}", remedy="free some space; the same command goes on")
    if kind == "numbers":
        return IntegrityError(f"{model}: {why}", remedy="fetch the file again, or take another GGUF of that model")
    if kind == "draft":
        return load_error(log, model=f"the draft model {PurePath(why).name}")
    return load_error(log, model=model)


def load_error(log: str, *, model: str) -> CpuCodegenError:
    """Why llama.cpp gave no model back, from its log."""
    if found := _ARCHITECTURE.search(log):
        return MachineError(
            f"this build of llama.cpp does not know the architecture {found[1]!r} of {model}", remedy=REBUILD
        )
    if found := _MISSING_TENSOR.search(log):
        return IntegrityError(
            f"{model} lacks the tensor {found[1] or found[2]!r}", remedy="fetch the file again, or take another GGUF"
        )
    if found := _WRONG_SHAPE.search(log):
        return IntegrityError(
            f"the tensor {found[1]!r} of {model} has a wrong shape", remedy="take another GGUF of that model"
        )
    if found := _TOKENIZER.search(log):
        return MachineError(
            f"this build of llama.cpp does not know the tokenizer {found[1]!r} of {model}", remedy=REBUILD
        )
    if found := _MISSING_KEY.search(log):
        return IntegrityError(f"{model} lacks the key {found[1]}", remedy="take another GGUF of that model")
    if found := _UNKNOWN_TYPE.search(log):
        return MachineError(f"this build of llama.cpp does not know tensor type {found[1]} in {model}", remedy=REBUILD)
    if _MEMORY.search(log):
        return MachineError(f"not enough memory to load {model}", remedy=LESS_MEMORY)
    return IntegrityError(
        f"llama.cpp cannot load {model}: {last_error(log)}", remedy="fetch the file again, or take another GGUF"
    )


def died_loading(returncode: int | None, how: str, log: str, *, model: str) -> CpuCodegenError:
    """The process ended while it loaded the model."""
    if returncode is not None and returncode in (-4, 0xC000001D):
        return MachineError(
            "llama.cpp was built for another CPU (illegal instruction)",
            remedy='CMAKE_ARGS="-DGGML_NATIVE=ON" pip install --force-reinstall --no-cache-dir '
            "--no-binary llama-cpp-python llama-cpp-python",
        )
    if returncode == -9:
        return MachineError(f"the system killed llama.cpp while it loaded {model}: out of memory?", remedy=LESS_MEMORY)
    if _MEMORY.search(log):
        return MachineError(f"llama.cpp ran out of memory while it loaded {model} ({how})", remedy=LESS_MEMORY)
    return IntegrityError(
        f"llama.cpp crashed while it loaded {model} ({how}): {last_error(log)}",
        remedy="fetch the file again, or take another GGUF of that model",
    )


def is_out_of_memory(returncode: int | None, log: str) -> bool:
    """By its end, or by what it wrote."""
    return returncode == -9 or _MEMORY.search(log) is not None


def over_limit(model: str, limit_bytes: int, how: str, *, proven: bool) -> CpuCodegenError:
    """--max-ram did what it is for. `proven`: the kernel counted the kill."""
    words = "ran out of memory" if proven else "ran out of memory, as it seems,"
    return MachineError(
        f"{model} {words} under --max-ram {format_bytes(limit_bytes)} (enforced by {how.partition(',')[0]})",
        remedy="--parallel 1, --kv-type q8_0, a smaller --ctx, a smaller quantization, or a larger --max-ram",
    )


def died_running(returncode: int | None, how: str, log: str) -> str:
    """Why a sample got no answer: for its `error` field."""
    if returncode == -9:
        return "the system killed the engine (out of memory?)"
    return f"the engine crashed ({how}): {last_error(log)}"


def last_error(log: str) -> str:
    """The last line of the log that speaks of an error, else its last line; at most 200 characters."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"error|fail|invalid|assert|cpu-codegen:", line, re.IGNORECASE)]
    useful = [line for line in wrong if "llama_model_load_from_file_impl" not in line] or wrong or lines
    if not useful:
        return "its log says nothing"
    found = _LAST_ERROR.match(useful[-1])
    return (found[1] if found else useful[-1])[:200]
