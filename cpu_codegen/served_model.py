"""`--engine URL` → what a run needs to know of the model behind it, in place of a file: its name, its identity, its context.

The identity that enters the keys is `served:<model id>` with the hash of what the server tells of itself, or the digest that the
user vouches for (--model-sha256). The chat template is the server's, so a prompt is the bare message; the hash stands in the
template's place.
"""

from __future__ import annotations

from dataclasses import dataclass

from cpu_codegen.config import RunConfig
from cpu_codegen.engine.served_facts import Served, look
from cpu_codegen.engine.served_http import parse_address
from cpu_codegen.errors import UsageError
from cpu_codegen.models.quants import quant_of
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.prompts.chat_template import ChatTemplate
from cpu_codegen.schema import ModelFile
from cpu_codegen.store import digest

PREFIX = "served:"
MESSAGE_ALONE = "{{ messages[0].content }}"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """The counterparts of a file's facts. `ctx_tokens` 0 = the server does not tell."""

    spec: ModelSpec
    model: ModelFile
    template: ChatTemplate
    ctx_tokens: int
    served: Served


def served_model(config: RunConfig) -> ServedModel:
    """Asks the server. UsageError for options that only our own engine can follow."""
    _refuse_engine_options(config)
    served = look(parse_address(config.engine_url or ""), config.model)
    quant = quant_of(served.short_name)
    model = ModelFile(
        name=served.model,
        paths=(served.model,),
        size_bytes=served.size_bytes,
        sha256=config.model_sha256 or f"{PREFIX}{served.model}:{served.hash}",
        alias=served.short_name,
        quant=quant,
        source=f"served by {served.kind} at {served.address.url}",
    )
    spec = ModelSpec(served.model, quant=quant, source=model.source)
    template = ChatTemplate(_template_text(served, config.model_sha256), source="the server's own")
    return ServedModel(spec, model, template, served.ctx_tokens or 0, served)


def _template_text(served: Served, model_sha256: str | None) -> str:
    """Passes the message on. Its comment makes another template, or another server, another key.

    With a digest the file is known, so only what the server says of its template counts.
    """
    props = served.told.get("props") or served.told.get("show") or {}
    template = props.get("chat_template") or props.get("template") or ""
    identity = f"{PREFIX}{digest(served.model, template)}" if model_sha256 else f"{PREFIX}{served.hash}"
    return f"{{# {identity} #}}{MESSAGE_ALONE}"


def _refuse_engine_options(config: RunConfig) -> None:
    """What is fixed where the server is started cannot be asked of it in a request."""
    given = {
        "--draft": config.draft,
        "--ctx": config.settings.ctx_tokens,
        "--threads": config.threads,
        "--prompt-format": config.prompt_format,
    }
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                f"{option} does not reach a server: --engine URL takes it as it was started",
                remedy=f"drop {option}; set it where the server is started",
            )
    if config.model_sha256 is not None and not _is_digest(config.model_sha256):
        raise UsageError(
            "--model-sha256 is no sha256", remedy="--model-sha256 with 64 hexadecimal digits (sha256sum FILE)"
        )


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)
