"""Where a model's shape is taken from: the header of a file here, the hub's header by range requests, else the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cpu_codegen.errors import CpuCodegenError, UnavailableError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.gguf_values import ByteSource, FileSource
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.shape import Shape, shape_of_header, shape_of_spec
from cpu_codegen.registry import local_paths


def best_shape(spec: ModelSpec, kv_types: tuple[str, str], *, is_here: bool, ask_hub: bool) -> Shape | None:
    """From the best source at hand; `ask_hub` = headers of what is not here may be fetched. None = nobody knows."""
    try:
        if is_here:
            return shape_of_header(header_of_parts([FileSource(path) for path in local_paths(spec)]), kv_types)
        if ask_hub and spec.repo:
            return shape_of_header(header_of_parts(_remote_parts(spec)), kv_types)
    except CpuCodegenError:
        pass  # a damaged file or no network: the registry's facts are still an answer, and `basis` says so
    return shape_of_spec(spec, kv_types)


def header_of_parts(parts: Sequence[ByteSource]) -> GgufHeader:
    """One header for a model: of a split GGUF the first part holds the metadata, and each part some of the tensors."""
    first, *others = [read_header(part) for part in parts]
    if not others:
        return first
    return replace(
        first,
        tensors=tuple(tensor for header in (first, *others) for tensor in header.tensors),
        file_bytes=sum(header.file_bytes for header in (first, *others)),
        required_bytes=sum(header.required_bytes for header in (first, *others)),
    )


def _remote_parts(spec: ModelSpec) -> list[ByteSource]:
    """A few range requests instead of the file."""
    from cpu_codegen.models.hub import RemoteSource, is_offline, remote_file

    if is_offline():
        raise UnavailableError("offline")
    return [RemoteSource(remote_file(spec.repo, file, spec.revision)) for file in spec.files]
