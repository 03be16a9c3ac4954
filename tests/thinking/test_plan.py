"""What `--think` becomes: from models.yaml, and from what the chat template does when its switch is moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.config import Settings, Think
from cpu_codegen.errors import UsageError
from cpu_codegen.extraction.fences import REASONING_TAGS
from cpu_codegen.inputs import settings_record
from cpu_codegen.models.card import card
from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.models.spec import ModelSpec, Reasoning, SamplingAdvice
from cpu_codegen.plan.greedy import against_greedy
from cpu_codegen.plan.reasons import as_its_file_tells
from cpu_codegen.plan.work import work
from cpu_codegen.prompts.chat_template import ChatTemplate, render_chat
from cpu_codegen.prompts.formats import PROMPT_FORMATS
from cpu_codegen.registry import resolve
from cpu_codegen.schema import Sampling, Thinking
from cpu_codegen.thinking import (
    SEQUENCE_TOKENS,
    ThinkingPlan,
    context_wanted,
    plan_thinking,
    recommended_sampling,
    require_room,
)
from tests.conftest import REPO

HEAD = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
ON_UNLESS_OFF = ChatTemplate(
    HEAD + "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
)
OFF_UNLESS_ON = ChatTemplate(HEAD + "{% if enable_thinking %}<think>\n{% else %}<think>\n\n</think>\n\n{% endif %}")
ALWAYS = ChatTemplate(HEAD + "<think>{{ '\n' }}")
NEVER = ChatTemplate(PROMPT_FORMATS["chatml"])
UNKNOWN = ModelSpec("m")


def prompt(template: ChatTemplate, plan: ThinkingPlan) -> str:
    """What the model reads under a plan."""
    return render_chat(replace(template, variables=plan.variables), [{"role": "user", "content": "hi"}])


@pytest.mark.parametrize(
    ("template", "think", "state", "tail"),
    [
        (ON_UNLESS_OFF, "auto", "on", "assistant\n"),
        (ON_UNLESS_OFF, "on", "on", "assistant\n"),
        (ON_UNLESS_OFF, "off", "off", "<think>\n\n</think>\n\n"),
        (OFF_UNLESS_ON, "auto", "off", "<think>\n\n</think>\n\n"),
        (OFF_UNLESS_ON, "on", "on", "<think>\n"),
        (OFF_UNLESS_ON, 300, "on", "<think>\n"),
        (ALWAYS, "auto", "on", "<think>\n"),
        (ALWAYS, "on", "on", "<think>\n"),
    ],
)
def test_the_template_decides(template: ChatTemplate, think: Think, state: str, tail: str) -> None:
    """auto is what it does unasked; on, off and N move its switch."""
    plan = plan_thinking(think, UNKNOWN, template)
    assert plan.state == state
    assert prompt(template, plan).endswith(tail)
    budget = think if isinstance(think, int) else 2048
    expected = Thinking(budget, "<think>", "</think>", "\n</think>\n\n") if state == "on" else None
    assert plan.thinking == expected


def test_off_without_a_switch_is_refused_and_says_what_works() -> None:
    """Exit 2, with what can be asked instead."""
    with pytest.raises(UsageError, match="no switch") as refused:
        plan_thinking("off", UNKNOWN, ALWAYS)
    assert refused.value.exit_code == 2
    assert "--think auto" in str(refused.value.remedy)
    assert "--think N" in str(refused.value.remedy)


def test_a_budget_without_a_known_sequence_is_refused() -> None:
    """Only N: without one, reasoning is still bounded, and the sample ends there."""
    spec = ModelSpec("m", thinking="switchable", reasoning=Reasoning("<think>", "</think>", "", "enable_thinking", "s"))
    with pytest.raises(UsageError, match="none is known") as refused:
        plan_thinking(500, spec, ON_UNLESS_OFF)
    assert "--think off" in str(refused.value.remedy)
    plan = plan_thinking("on", spec, ON_UNLESS_OFF)
    assert plan.thinking == Thinking(2048, "<think>", "</think>", "")


@pytest.mark.parametrize("think", ["auto", "on", "off", 9])
def test_models_that_do_not_reason_ignore_the_option_and_say_so(think: Think) -> None:
    """Nothing is refused, nothing reaches the template, the manifest's record tells."""
    never = ModelSpec("m", thinking="never")
    for spec, template in ((never, ON_UNLESS_OFF), (UNKNOWN, NEVER), (UNKNOWN, None)):
        plan = plan_thinking(think, spec, template)
        assert (plan.state, plan.thinking, plan.variables) == ("none", None, ())
        assert ("is ignored" in plan.record()["note"]) == (think != "auto")


def test_a_family_that_can_be_switched_needs_a_template_that_knows_the_switch() -> None:
    """What counts is the file's own template, not the family's fame."""
    spec = load_catalogue().default("qwen3-0.6b")
    assert plan_thinking("off", spec, ON_UNLESS_OFF).state == "off"
    with pytest.raises(UsageError, match="no switch"):
        plan_thinking("off", spec, NEVER)


def test_the_registry_knows_its_families() -> None:
    """Every entry that always reasons or can be switched has tags that extraction knows; each section names its source."""
    specs = [s for s in load_catalogue().specs() if s.thinking in ("always", "switchable")]
    missing = {s.alias for s in specs if s.reasoning is None}
    assert missing <= {"empero-qwen3.8-2b"}
    for facts in (s.reasoning for s in specs if s.reasoning is not None):
        assert (facts.opening, facts.closing) in REASONING_TAGS
        assert facts.closing in facts.sequence
        assert facts.source
    assert all(s.reasoning is None for s in load_catalogue().specs() if s.thinking == "never")


def test_a_user_s_file_adds_a_family(tmp_path: Path) -> None:
    """With its tags, its switch and its recommended sampling; a tag that nobody knows is refused with its line."""
    entry = (
        "models:\n  mine:\n    family: my-family\n    thinking: always\n    files:\n"
        "      q8_0: {path: ./m.gguf, source: here}\n"
    )
    section = (
        'thinking_families:\n  my-family:\n    opening: "<think>"\n    closing: "</think>"\n    sequence: "\\n</think>\\n"\n'
        "    source: here\n    sampling: {thinking: {temperature: 0.5, top_k: 9}, source: there, against_greedy: always}\n"
    )
    path = tmp_path / "models.yaml"
    path.write_text(entry + section, encoding="utf-8")
    spec = load_catalogue(path).default("mine")
    assert spec.reasoning == Reasoning("<think>", "</think>", "\n</think>\n", "", "here")
    assert spec.advice == SamplingAdvice(Sampling(0.5, 1.0, 9, 0.0), None, "always", "there")
    path.write_text(entry + section.replace("<think>", "<ponder>"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"models.yaml:\d+: .*my-family.*known tags"):
        load_catalogue(path)


def test_the_context_grows_for_reasoning_and_explicit_ones_are_checked() -> None:
    """Prompt, N, sequence and answer; too small an explicit context names what would do."""
    plan = plan_thinking("auto", UNKNOWN, ALWAYS)
    assert context_wanted(plan, Settings()) == 4096
    wanted = context_wanted(plan_thinking(8000, UNKNOWN, ALWAYS), Settings(max_tokens=2000))
    assert 8000 + 2000 < wanted < 8000 + 2000 + 1400
    assert context_wanted(plan_thinking("auto", UNKNOWN, NEVER), Settings()) == 0
    require_room(plan, Settings(), 4096, 8192)
    least = plan.most_tokens + 1024 + SEQUENCE_TOKENS
    require_room(plan, Settings(max_tokens=1024), least, 8192)
    with pytest.raises(UsageError, match="cannot hold"):
        require_room(plan, Settings(max_tokens=1024), least - 1, 8192)
    with pytest.raises(UsageError, match="cannot hold") as refused:
        require_room(plan, Settings(), 2048, 8192)
    assert "--ctx 4096" in str(refused.value.remedy)
    with pytest.raises(UsageError) as small:
        require_room(plan, Settings(), 2048, 2048)
    assert str(small.value.remedy).startswith("--think 512 --max-tokens 512")


def test_recommended_sampling_depends_on_the_reasoning() -> None:
    """models.yaml's values for the state; where there are none, exit 2."""
    spec = load_catalogue().default("qwen3-0.6b")
    on, off = (plan_thinking(think, spec, ON_UNLESS_OFF) for think in ("on", "off"))
    assert recommended_sampling(on, spec) == Sampling(0.6, 0.95, 20, 0.0)
    assert recommended_sampling(off, spec) == Sampling(0.7, 0.8, 20, 0.0)
    with pytest.raises(UsageError, match="no recommended sampling"):
        recommended_sampling(plan_thinking("auto", UNKNOWN, NEVER), UNKNOWN)


def test_keys_of_runs_from_before_the_options_are_the_same() -> None:
    """The record that enters keys names think and loop_stop only where they are not the default."""
    record = settings_record(Settings(), 4096)
    assert not {"think", "loop_stop", "recommended"} & record.keys()
    other = settings_record(Settings(think=512, loop_stop=False, recommended=True), 4096)
    assert {name: other[name] for name in other.keys() - record.keys()} == {"think": 512, "loop_stop": False}


def test_a_plan_tells_both_ways_and_warns_against_greedy() -> None:
    """Hours with and without; the context that reasoning wants; the authors' advice only in the state that it is for."""
    spec, never = load_catalogue().default("qwen3-0.6b"), load_catalogue().default("qwen2.5-coder-0.5b")
    on = work(("lowcost60",), ("plain",), spec, max_tokens=1024)
    assert on.reasons
    assert on.otherwise is not None
    assert not on.otherwise.reasons
    assert on.answer_tokens - on.otherwise.answer_tokens == pytest.approx(0.6 * 2048 * 60)
    off = work(("lowcost60",), ("plain",), spec, max_tokens=1024, think="off")
    assert (off.reasons, off.context_tokens) == (False, 0)
    long = work(("lowcost60",), ("plain",), spec, max_tokens=1024, think=8000)
    assert long.context_tokens > 8000 + 1024
    assert work(("lowcost60",), ("plain",), never, max_tokens=1024).otherwise is None
    assert "against greedy" in against_greedy(spec, "auto")
    assert against_greedy(spec, "off") == against_greedy(never, "auto") == ""


def test_a_plan_of_a_file_asks_its_template() -> None:
    """A file that the registry does not know reasons as its template says; a model without a file stays as it is."""
    known = load_catalogue().default("qwen3-0.6b")
    assert as_its_file_tells(known) is known
    for name, thinking in (("thinker", "switchable"), ("endless", "always")):
        told = as_its_file_tells(resolve(str(REPO / "tests" / "data" / f"{name}.gguf")))
        assert (told.thinking, told.reasoning.unasked if told.reasoning else None) == (thinking, True)
    demo = as_its_file_tells(resolve("demo"))
    assert (demo.thinking, demo.reasoning) == ("never", None)


def test_models_show_tells_how_it_reasons() -> None:
    """Tags, switch, recommended values and the advice against greedy, each with its source."""
    rows = {str(fact): (value, source) for fact, value, source in card(load_catalogue().default("qwen3-0.6b")).rows}
    assert rows["reasoning"][0] == "<think> … </think>; switch enable_thinking, on unasked"
    assert rows["sampling recommended, reasoning"][0] == "temperature 0.6, top_p 0.95, top_k 20"
    assert rows["greedy decoding"][0] == "advised against while it reasons"
    assert all(rows[fact][1] for fact in ("reasoning", "sampling recommended, reasoning", "greedy decoding"))
