"""Renders a chat template in Jinja's immutable sandbox.

Covered: what llama.cpp's own renderer and Hugging Face's offer to templates (`raise_exception`, `strftime_now`, `tojson`, loop
controls, generation tags left out). Templates come from untrusted files: nothing they hold can reach Python objects, and the
output is capped. Not covered: tools and images.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import UsageError

MAX_RENDERED_CHARS = 1_000_000

# Templates print "today" (Llama 3.1 does); a constant keeps a run's prompts, and so its keys, the same tomorrow.
TEMPLATE_DATE = (2024, 7, 26)


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A model's chat template with the special tokens that it may print; `source` says where the template came from.

    `variables` are given to it whenever it is rendered: the switch of a model's reasoning.
    """

    text: str
    bos_token: str = ""
    eos_token: str = ""
    source: str = "gguf"
    variables: tuple[tuple[str, Any], ...] = ()


def _raise_exception(message: str) -> None:
    raise UsageError(
        f"the model's chat template refuses the prompt: {message[:300]}",
        remedy="--prompt-format NAME to use another format",
    )


def _strftime_now(pattern: str) -> str:
    from datetime import date

    return date(*TEMPLATE_DATE).strftime(str(pattern)[:100])


def _tojson(value: Any, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def render_chat(template: ChatTemplate, messages: list[dict[str, str]], **variables: Any) -> str:
    """The text that the model reads, with the generation prompt at its end.

    Raises UsageError when the template is broken, refuses the messages or writes more than MAX_RENDERED_CHARS.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    try:
        pieces: list[str] = []
        size = 0
        for piece in environment.from_string(template.text).generate(
            messages=messages,
            add_generation_prompt=True,
            bos_token=template.bos_token,
            eos_token=template.eos_token,
            **(dict(template.variables) | variables),
        ):
            size += len(piece)
            if size > MAX_RENDERED_CHARS:
                raise UsageError("the model's chat template writes without end", remedy="--prompt-format NAME")
            pieces.append(piece)
        return "".join(pieces)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"the model's chat template ({template.source}) cannot be rendered: {type(error).__name__}: {str(error)[:200]}",
            remedy="--prompt-format chatml (or mistral, zephyr, llama-2, phi-2, alpaca)",
        ) from error
