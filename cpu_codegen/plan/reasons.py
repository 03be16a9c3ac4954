"""Whether a model reasons, as its file tells: for a file that is here, the chat template knows more than the registry."""

from __future__ import annotations

from dataclasses import replace

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.gguf_header import read_header
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.registry import local_paths


def as_its_file_tells(spec: ModelSpec) -> ModelSpec:
    """The spec of a file that is here, with what its template does unasked, and whether that can be switched."""
    if spec.thinking == "never":
        return spec
    from cpu_codegen.inputs import (
        chat_template,
    )  # brings the download with it; most plans are of files that are not here
    from cpu_codegen.thinking import plan_thinking

    try:
        header = read_header(local_paths(spec)[0])
        plan = plan_thinking("auto", spec, chat_template(header, spec, None))
    except CpuCodegenError:
        return spec  # a damaged file or template: the run itself will say what is wrong
    if plan.facts is None:
        return spec
    facts = replace(plan.facts, unasked=plan.state == "on")
    return replace(spec, thinking="switchable" if facts.switch else "always", reasoning=facts)
