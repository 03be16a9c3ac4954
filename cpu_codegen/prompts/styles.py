"""Turns a problem and a style into the exact text that a model reads.

Styles are data files: `texts/<style>.v<N>.txt` (for chat) and `texts/<style>.completion.v<N>.txt` (for base models without a
chat template). Both styles state the task in the same words; `cot` adds the reasoning steps and nothing else. The
instructions stand before the statement, so that all problems of a style share one long prefix, which is decoded once.
A user's own template is a text file with `{statement}` and, if wanted, `{entry_point}`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from cpu_codegen.errors import UsageError, cause
from cpu_codegen.prompts.chat_template import ChatTemplate, render_chat
from cpu_codegen.schema import Problem, Prompt

STATEMENT = "{statement}"
ENTRY_POINT = "{entry_point}"

# A base model goes on after the function; these are EvalPlus's stops for direct completion.
COMPLETION_STOPS: tuple[str, ...] = (
    "\nif __name__",
    "\ndef main(",
    "\nprint(",
    "\nclass ",
    "\nassert ",
    "\n```",
    "\n# Test",
    "\n#Test",
    "<|endoftext|>",
    "<|endofmask|>",
    "</s>",
)


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt template: style name, version, text, and the sha256 of the text."""

    style: str
    version: str
    text: str
    sha256: str
    is_completion: bool = False


def sha256_text(text: str) -> str:
    """Hex sha256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def packaged_texts() -> dict[tuple[str, bool], PromptText]:
    """The packaged prompt texts by (style, is_completion); the highest version of each."""
    found: dict[tuple[str, bool], PromptText] = {}
    for entry in resources.files("cpu_codegen.prompts").joinpath("texts").iterdir():
        match = re.fullmatch(r"([a-z-]+)(\.completion)?\.v(\d+)\.txt", entry.name)
        if match is None:
            continue
        key = (match[1], match[2] is not None)
        text = entry.read_text(encoding="utf-8").removesuffix("\n")
        if key not in found or int(match[3]) > int(found[key].version):
            found[key] = PromptText(match[1], match[3], text, sha256_text(text), key[1])
    return found


def style_names() -> tuple[str, ...]:
    """The packaged styles, plain first."""
    return tuple(
        sorted({style for style, completion in packaged_texts() if not completion}, key=lambda s: (s != "plain", s))
    )


def load_prompt_text(style: str, *, is_completion: bool = False, prompt_file: Path | None = None) -> PromptText:
    """The text of a style; with `prompt_file` the user's own file stands in for it.

    Raises UsageError for an unknown style, an unreadable file, or one without `{statement}`.
    """
    if prompt_file is not None:
        return _user_text(style, prompt_file, is_completion=is_completion)
    try:
        return packaged_texts()[(style, is_completion)]
    except KeyError:
        kind = "completion (this model has no chat template)" if is_completion else "chat"
        raise UsageError(
            f"no {kind} prompt for style {style!r}", remedy=f"--style {','.join(style_names())}, or --prompt-file FILE"
        ) from None


def _user_text(style: str, path: Path, *, is_completion: bool) -> PromptText:
    try:
        text = path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {path}: {cause(error)}",
            remedy="--prompt-file FILE, a UTF-8 text",
        ) from error
    if STATEMENT not in text:
        raise UsageError(f"{path} has no {STATEMENT}", remedy=f"put {STATEMENT} where the problem's statement belongs")
    return PromptText(style, "user", text, sha256_text(text), is_completion)


def fill(prompt_text: PromptText, problem: Problem) -> str:
    """The user's message: the template with the statement and the entry point in place."""
    before, _, after = prompt_text.text.partition(STATEMENT)
    parts = [part.replace(ENTRY_POINT, problem.entry_point) for part in (before, after)]
    return parts[0] + problem.statement.rstrip() + parts[1]


def render_prompt(problem: Problem, prompt_text: PromptText, template: ChatTemplate | None) -> Prompt:
    """The Prompt for one problem. `template` None = a base model: the completion text stands as it is."""
    message = fill(prompt_text, problem)
    stop: tuple[str, ...] = ()
    if template is None:
        text, template_hash, stop = message + "\n", "", COMPLETION_STOPS
    else:
        text = render_chat(template, [{"role": "user", "content": message}])
        template_hash = sha256_text(template.text)
    writes_bos = template is not None and bool(template.bos_token) and text.startswith(template.bos_token)
    return Prompt(
        problem_id=problem.id,
        style=prompt_text.style,
        text=text,
        hash=sha256_text(message),
        template_hash=template_hash,
        add_special=not writes_bos,
        is_completion=template is None,
        stop=stop,
    )
