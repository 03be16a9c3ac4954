"""A problem → the text that every model of a ladder reads: the plain prompt in the base's chat template, then the fenced reference.

Only tokens that lie wholly within the reference are scored. The reference stands without its docstring, which the prompt has said
already. A model without a chat template reads the prompt as it is; reasoning that a template opens is closed, empty. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from cpu_codegen.extraction.fences import REASONING_TAGS
from cpu_codegen.prompts.chat_template import ChatTemplate, render_chat
from cpu_codegen.prompts.styles import fill, load_prompt_text, sha256_text
from cpu_codegen.schema import Problem
from cpu_codegen.suites.solutions import solution, without_docstring

STYLE = "plain"
OPENING, CLOSING = "```python\n", "```\n"


@dataclass(frozen=True, slots=True)
class ScoredText:
    """`before` is read, `reference` is scored, `after` only closes the fence. `hash` is that of all three."""

    problem: Problem
    before: str
    reference: str
    after: str
    add_special: bool
    hash: str


def scored_text(problem: Problem, template: ChatTemplate | None) -> ScoredText | None:
    """The text of one problem; None where its suite carries no reference."""
    reference = without_docstring(solution(problem), problem.entry_point).strip("\n")
    if not reference:
        return None
    message = fill(load_prompt_text(STYLE), problem)
    prompt = render_chat(template, [{"role": "user", "content": message}]) if template else message + "\n\n"
    writes_bos = template is not None and bool(template.bos_token) and prompt.startswith(template.bos_token)
    before, reference = _out_of_reasoning(prompt) + OPENING, reference + "\n"
    return ScoredText(
        problem, before, reference, CLOSING, not writes_bos, sha256_text("\0".join((before, reference, CLOSING)))
    )


def _out_of_reasoning(prompt: str) -> str:
    """Templates of some thinking models end inside reasoning; the fence belongs to the answer."""
    for opening, closing in REASONING_TAGS:
        if prompt.rstrip().endswith(opening):
            return f"{prompt.rstrip()}\n\n{closing}\n\n"
    return prompt
