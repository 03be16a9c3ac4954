"""What every model of a ladder reads: prompt, fence, reference; and where the prompt ends."""

from __future__ import annotations

from cpu_codegen.fidelity.texts import CLOSING, OPENING, ScoredText, scored_text
from cpu_codegen.prompts.chat_template import ChatTemplate
from cpu_codegen.prompts.formats import PROMPT_FORMATS
from cpu_codegen.prompts.styles import fill, load_prompt_text
from cpu_codegen.suites.lowcost60 import load_lowcost60

PROBLEM = load_lowcost60()[0]


def text(template: str | None) -> ScoredText:
    """The first problem's text."""
    found = scored_text(PROBLEM, ChatTemplate(template, "<s>", "</s>") if template else None)
    assert found is not None
    return found


def test_the_reference_stands_fenced_behind_the_plain_prompt() -> None:
    """In the answer's place of the template, with the exact words of `run --style plain`."""
    found = text(PROMPT_FORMATS["chatml"])
    assert found.before.endswith("<|im_start|>assistant\n" + OPENING)
    assert fill(load_prompt_text("plain"), PROBLEM) in found.before
    assert found.reference.startswith("import random\nfrom bisect") or "def " in found.reference
    assert (found.after, found.add_special) == (CLOSING, True)


def test_a_template_that_writes_bos_gets_no_second_one() -> None:
    """As in a run."""
    assert text(PROMPT_FORMATS["mistral"]).add_special is False


def test_without_a_template_the_prompt_stands_as_it_is() -> None:
    """A base model reads the same words."""
    assert text(None).before == fill(load_prompt_text("plain"), PROBLEM) + "\n\n" + OPENING


def test_reasoning_that_the_template_opens_is_closed() -> None:
    """A solution inside a chain of thought would be scored as a thought."""
    found = text("{{ messages[0]['content'] }}<|assistant|><think>\n")
    assert found.before.endswith("<|assistant|><think>\n\n</think>\n\n" + OPENING)


def test_another_text_has_another_hash() -> None:
    """The hash stands in the keys of the lines."""
    assert text(PROMPT_FORMATS["chatml"]).hash != text(PROMPT_FORMATS["zephyr"]).hash
