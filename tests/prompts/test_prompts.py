"""Prompts: both styles state the task alike, templates cannot reach Python, user files are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.prompts.chat_template import ChatTemplate, render_chat
from cpu_codegen.prompts.formats import PROMPT_FORMATS
from cpu_codegen.prompts.styles import load_prompt_text, packaged_texts, render_prompt, style_names
from cpu_codegen.schema import AssertTask, Problem

PROBLEM = Problem("s/f", "s", "", "f", 'def f(x: int) -> int:\n    """Double x."""\n', "hash", AssertTask(""))
CHATML = ChatTemplate(PROMPT_FORMATS["chatml"])


def test_cot_adds_reasoning_steps_and_nothing_else() -> None:
    """Every line of the plain prompt stands in the cot prompt, in the same order."""
    plain, cot = (load_prompt_text(style).text.splitlines() for style in ("plain", "cot"))
    rest = iter(cot)
    assert all(line in rest for line in plain)
    added = [line for line in cot if line not in plain]
    assert len(added) == 6
    assert added[0].startswith("First reason")


@pytest.mark.parametrize("style", style_names())
def test_every_style_states_the_machine_and_the_output_contract(style: str) -> None:
    """The constrained machine and the one fenced block are named in each style; each has a completion text."""
    text = load_prompt_text(style).text
    assert "constrained machine" in text
    assert "exactly one fenced Python code block" in text
    assert "{statement}" in text


def test_plain_and_cot_have_completion_texts_for_base_models() -> None:
    """Base models without a template get the statement itself at the end."""
    for style in ("plain", "cot"):
        prompt = render_prompt(PROBLEM, load_prompt_text(style, is_completion=True), None)
        assert prompt.text.endswith('"""Double x."""\n')
        assert prompt.is_completion
        assert "\n```" in prompt.stop
        assert prompt.template_hash == ""


def test_the_prompt_is_rendered_through_the_template() -> None:
    """The chat template wraps the message, and its hash is kept apart from the text's."""
    one = render_prompt(PROBLEM, load_prompt_text("plain"), CHATML)
    other = render_prompt(PROBLEM, load_prompt_text("plain"), ChatTemplate(PROMPT_FORMATS["zephyr"], eos_token="</s>"))
    assert one.text.startswith("<|im_start|>user\nWrite the Python function")
    assert one.text.endswith("<|im_start|>assistant\n")
    assert one.hash == other.hash
    assert one.template_hash != other.template_hash
    assert one.add_special


def test_a_template_that_writes_bos_itself_gets_no_second_one() -> None:
    """add_special is off where the rendered text begins with BOS."""
    template = ChatTemplate(PROMPT_FORMATS["mistral"], bos_token="<s>", eos_token="</s>")
    assert not render_prompt(PROBLEM, load_prompt_text("plain"), template).add_special


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append('x') }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{% for i in range(10**9) %}xxxxxxxxxxxxxxxx{% endfor %}",
        "{{ raise_exception('no') }}",
        "{{ 'x' * 10**12 }}",
        "{{ nothing.at.all }}",
        "{% if %}",
    ],
)
def test_a_hostile_template_is_an_error_and_nothing_else(hostile: str) -> None:
    """Templates come from untrusted files: no attribute of Python is reached, no endless output."""
    with pytest.raises(UsageError):
        render_chat(ChatTemplate(hostile), [{"role": "user", "content": "hi"}])


def test_the_date_in_a_template_never_changes() -> None:
    """Llama 3.1 prints today's date; here it is a constant, so that keys hold tomorrow."""
    template = ChatTemplate("{{ strftime_now('%d %b %Y') }}")
    assert render_chat(template, []) == "26 Jul 2024"


def test_a_users_prompt_file_needs_the_statement(tmp_path: Path) -> None:
    """A file without {statement} is refused; one with it is used word for word."""
    path = tmp_path / "mine.txt"
    path.write_text("no place")
    with pytest.raises(UsageError, match="statement"):
        load_prompt_text("plain", prompt_file=path)
    path.write_text("Do {entry_point}:\n{statement}\nBraces { } stay.")
    text = render_prompt(PROBLEM, load_prompt_text("plain", prompt_file=path), CHATML).text
    assert "Do f:\ndef f(x: int)" in text
    assert "Braces { } stay." in text


def test_an_unknown_style_names_the_known_ones() -> None:
    """The remedy lists what works."""
    with pytest.raises(UsageError) as caught:
        load_prompt_text("poetry")
    assert "plain,cot" in (caught.value.remedy or "")


def test_packaged_texts_are_frozen() -> None:
    """The demo model was trained on these very texts: an edit means training it again and changing these hashes."""
    frozen = {
        "plain": "5fc8f1b39835f6635122856a4c62838b00e304ae7d6642d2b787a08f1d41e84e",
        "cot": "6f7aa5166a4a50951f04842e52d84c398705425ac2437814efd3c363a62891f6",
    }
    assert {style: packaged_texts()[(style, False)].sha256 for style in frozen} == frozen
