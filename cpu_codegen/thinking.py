"""`--think`: what a model's reasoning is asked to be, from models.yaml's facts and the chat template itself. Pure.

The template decides: it is rendered as it stands, with the switch on and with it off, and what differs is what the switch does. A
file whose template knows no switch cannot be switched, whatever its family can. Not covered: following the reasoning token by token
(engine/reasoning.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from cpu_codegen.config import DEFAULT_THINK_TOKENS, Settings, Think
from cpu_codegen.errors import UsageError
from cpu_codegen.extraction.fences import REASONING_TAGS
from cpu_codegen.models.spec import ModelSpec, Reasoning
from cpu_codegen.prompts.chat_template import ChatTemplate, render_chat
from cpu_codegen.schema import Sampling, Thinking

State = Literal["on", "off", "none"]
SWITCHES = ("enable_thinking", "thinking", "reasoning")
"""Variables by which chat templates are known to switch reasoning; tried where models.yaml names none."""

PROMPT_TOKENS = 960
"""Room that the default context leaves for a prompt; fixed, so that a run's keys do not depend on its longest problem."""

SEQUENCE_TOKENS = 64
"""Room for the opening and the closing sequence."""

_PROBE = [{"role": "user", "content": "Write a function."}]


@dataclass(frozen=True, slots=True)
class ThinkingPlan:
    """What becomes of the reasoning in a run. `state` "none": this model does not reason, as far as anyone says.

    `variables` are what the template is given; `thinking` is what the engine is to watch, None unless reasoning is on.
    """

    asked: Think
    state: State
    variables: tuple[tuple[str, Any], ...] = ()
    thinking: Thinking | None = None
    facts: Reasoning | None = None
    note: str = ""

    @property
    def most_tokens(self) -> int:
        """Tokens that reasoning may take of a context, with its tags."""
        return self.thinking.budget + SEQUENCE_TOKENS if self.thinking is not None else 0

    def record(self) -> dict[str, Any]:
        """For the manifest."""
        facts, thinking = self.facts, self.thinking
        return {
            "asked": self.asked,
            "state": self.state,
            "budget_tokens": thinking.budget if thinking else None,
            "switch": facts.switch or None if facts else None,
            "opening": facts.opening if facts else None,
            "closing_sequence": facts.sequence or None if facts else None,
            "source": facts.source if facts else None,
            "note": self.note,
        }


def plan_thinking(think: Think, spec: ModelSpec, template: ChatTemplate | None) -> ThinkingPlan:
    """The plan for one model. UsageError (exit 2) for `off` without a switch and for N without a known closing sequence."""
    why_not = _does_not_reason(spec, template)
    facts = None if why_not or template is None else spec.reasoning or facts_of(template)
    if facts is None or template is None:
        note = why_not or "neither models.yaml nor the chat template says that this model reasons"
        ignored = "" if think == "auto" else f"; --think {think} is ignored"
        return ThinkingPlan(think, "none", note=note + ignored)
    switch = next((name for name in (facts.switch, *SWITCHES) if _switches(template, name)), "")
    facts = replace(facts, switch=switch)
    state = _state_unasked(template, switch)
    variables: tuple[tuple[str, Any], ...] = ()
    if think != "auto":
        wanted = think != "off"
        state, variables = _switched(think, facts, state, wanted=wanted)
    if state == "off":
        return ThinkingPlan(think, "off", variables, facts=facts)
    budget = think if isinstance(think, int) else DEFAULT_THINK_TOKENS
    if isinstance(think, int) and not facts.sequence:
        raise UsageError(
            f"--think {think} needs a sequence that closes this model's reasoning, and none is known",
            remedy=_what_works(facts, state) + "; `sequence` under `thinking_families` in a --models FILE gives one",
        )
    thinking = Thinking(budget, facts.opening, facts.closing, facts.sequence)
    return ThinkingPlan(think, "on", variables, thinking, facts)


def require_no_switch(think: Think) -> None:
    """UsageError (exit 2) where a server generates: its template and its sampler are its own."""
    if think != "auto":
        raise UsageError(
            f"--think {think} does not reach a server: --engine URL takes its reasoning as it was started",
            remedy="drop --think; set it where the server is started",
        )


def _does_not_reason(spec: ModelSpec, template: ChatTemplate | None) -> str:
    if spec.thinking == "never":
        return "models.yaml: this model never reasons"
    return "a completion prompt opens no reasoning" if template is None else ""


def _switched(
    think: Think, facts: Reasoning, unasked: State, *, wanted: bool
) -> tuple[State, tuple[tuple[str, Any], ...]]:
    """State and variables when on or off is asked for."""
    if facts.switch:
        return ("on" if wanted else "off"), ((facts.switch, wanted),)
    if unasked == ("on" if wanted else "off"):
        return unasked, ()
    raise UsageError(
        f"--think {think}: this model's chat template has no switch for its reasoning",
        remedy=_what_works(facts, unasked),
    )


def _what_works(facts: Reasoning, unasked: State) -> str:
    """What may be asked of this model, in words."""
    words = ["--think auto" + (" (it reasons)" if unasked == "on" else "")]
    if facts.switch:
        words += ["--think on", "--think off"]
    if facts.sequence:
        words.append("--think N to bound it, as in --think 512")
    return ", ".join(words)


def facts_of(template: ChatTemplate) -> Reasoning | None:
    """What a template itself tells: the tags and the switch that stand in it. None where it speaks of no reasoning."""
    text = template.text
    tags = next(((o, c) for o, c in REASONING_TAGS if o in text or (c in text and "think" in c.lower())), None)
    if tags is None:
        return None
    switch = next((name for name in SWITCHES if _switches(template, name)), "")
    opening, closing = tags
    return Reasoning(opening, closing, _sequence_of(template, opening, closing, switch), switch, "the chat template")


def _sequence_of(template: ChatTemplate, opening: str, closing: str, switch: str) -> str:
    """How the template itself closes an empty block when reasoning is switched off; else the tag on a line of its own."""
    if not closing.startswith(("</", "[/")):
        return ""  # what has to follow such a tag, only models.yaml knows
    if switch:
        tail = render_chat(template, _PROBE, **{switch: False}).rpartition(opening)[2]
        if closing in tail and not tail.partition(closing)[0].strip():
            before, _, after = tail.partition(closing)
            return before[1:] + closing + after if before.startswith("\n") else before + closing + after
    return f"\n{closing}\n\n"


def _switches(template: ChatTemplate, switch: str) -> bool:
    """Whether the variable changes what the template writes."""
    if not switch or switch not in template.text:
        return False
    return render_chat(template, _PROBE, **{switch: True}) != render_chat(template, _PROBE, **{switch: False})


def _state_unasked(template: ChatTemplate, switch: str) -> State:
    """Whether the template lets the model reason when nobody says anything."""
    if not switch:
        return "on"
    return "off" if render_chat(template, _PROBE) == render_chat(template, _PROBE, **{switch: False}) else "on"


# ── context and sampling ─────────────────────────────────────────────────────────────────────────────────────────────


def context_wanted(plan: ThinkingPlan, settings: Settings) -> int:
    """Tokens that the context of one sequence should have: prompt, reasoning, its sequence, answer; 0 without reasoning."""
    return context_for(plan.thinking.budget, settings.max_tokens) if plan.thinking is not None else 0


def context_for(budget: int, max_tokens: int) -> int:
    """The same for a budget of reasoning and an answer, as plans of files that are not here need it."""
    return -(-(PROMPT_TOKENS + budget + SEQUENCE_TOKENS + max_tokens) // 256) * 256


def require_room(plan: ThinkingPlan, settings: Settings, ctx_tokens: int, trained: int) -> None:
    """UsageError when reasoning and answer alone do not leave a prompt any room in the context."""
    needed = plan.most_tokens + settings.max_tokens
    if plan.thinking is None or needed + SEQUENCE_TOKENS <= ctx_tokens:
        return
    budget = plan.thinking.budget
    wanted = context_wanted(plan, settings)
    smaller = max(1, (ctx_tokens - PROMPT_TOKENS - SEQUENCE_TOKENS) // 2)
    remedy = f"--think {smaller} --max-tokens {smaller}" if smaller >= 64 else "a model with a longer context"
    if wanted <= trained:
        remedy = f"--ctx {wanted}, or {remedy}"
    raise UsageError(
        f"a context of {ctx_tokens} tokens cannot hold a prompt, {budget} tokens of reasoning"
        f" and {settings.max_tokens} of answer",
        remedy=remedy,
    )


def recommended_sampling(plan: ThinkingPlan, spec: ModelSpec) -> Sampling:
    """What the model's authors recommend for this state of its reasoning. UsageError where models.yaml has none."""
    advice = spec.advice
    found = None if advice is None else advice.thinking if plan.state == "on" else advice.plain
    if found is None:
        with_reasoning = " with its reasoning on" if plan.state == "on" else ""
        raise UsageError(
            f"models.yaml holds no recommended sampling for {spec.name}{with_reasoning}",
            remedy="--temperature T --top-p P (greedy is the default), or `sampling` in a --models FILE",
        )
    return found
