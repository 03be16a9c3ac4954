"""How much there is to do: problems × styles, tokens of prompts and answers. Tokens of answers are a habit until a run tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cpu_codegen.config import DEFAULT_THINK_TOKENS, Think
from cpu_codegen.errors import UsageError
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.stats import Interval
from cpu_codegen.thinking import context_for

# problems, and tokens of a prompt with its instructions (characters / 3.6, as these texts tokenize)
SUITES = {
    "lowcost60": (60, 330),
    "humaneval": (164, 260),
    "humaneval+": (164, 260),
    "mbpp": (378, 190),
    "mbpp+": (378, 190),
}
CHARACTERS_PER_TOKEN = 3.6
_INSTRUCTION_TOKENS = 100  # of a prompt beside the statement
# tokens of an answer: usual, and the interval that models of one size spread over
_ANSWERS = {"plain": (220, 90, 500), "cot": (420, 200, 800), "cot-efficient": (450, 200, 850)}
_REASONING = (0.6, 0.2, 1.0)  # of the budget of tokens that an answer's reasoning has: a guess until a run tells
SHARED_PREFIX = 0.5
"""The part of a prompt that the style's problems have in common, decoded once."""


@dataclass(frozen=True, slots=True)
class Work:
    """All answers of the suites in the styles, reasoning included where it is on.

    `context_tokens`: what reasoning wants of a sequence's context, 0 = nothing of its own.
    `otherwise` is the same work with the reasoning the other way round, on or off; None of models that do not reason.
    """

    answers: int
    prompt_tokens: float
    answer_tokens: float
    interval: Interval
    reasons: bool = False
    context_tokens: int = 0
    otherwise: Work | None = None


def suite_size(name: str, *, keep_going: bool = False) -> tuple[int, float]:
    """Problems, and tokens of a prompt with its instructions. Tasks of one's own are read (not run) and counted."""
    if name in SUITES:
        return SUITES[name]
    from cpu_codegen.suites.own import is_own

    if not is_own(name):
        raise UsageError(f"no suite {name!r}", remedy=f"one of {', '.join(SUITES)}, or a folder or .jsonl of your own")
    return _own_size(str(Path(name).expanduser().resolve()), keep_going)


@lru_cache(maxsize=8)
def _own_size(path: str, keep_going: bool) -> tuple[int, float]:
    """Once a command, however many models are planned."""
    from cpu_codegen.suites.own import load_own

    problems = load_own(Path(path), left_out=[] if keep_going else None)
    characters = sum(len(problem.statement) for problem in problems)
    return len(problems), characters / len(problems) / CHARACTERS_PER_TOKEN + _INSTRUCTION_TOKENS


def work(
    suites: tuple[str, ...],
    styles: tuple[str, ...],
    spec: ModelSpec,
    *,
    max_tokens: int,
    keep_going: bool = False,
    think: Think = "auto",
) -> Work:
    """Counts for one model. `max_tokens` bounds what stands outside reasoning, `think` what its reasoning may take."""
    sizes = [suite_size(name, keep_going=keep_going) for name in suites]
    problems = sum(count for count, _ in sizes)
    prompts = sum(count * tokens for count, tokens in sizes) * len(styles) * SHARED_PREFIX
    habits = [_ANSWERS.get(style, _ANSWERS["cot"]) for style in styles]
    usual, low, high = (problems * sum(min(habit[i], max_tokens) for habit in habits) for i in range(3))
    without = Work(problems * len(styles), prompts, usual, Interval(low, high))
    if spec.thinking not in ("always", "switchable"):
        return without
    budget = think if isinstance(think, int) else DEFAULT_THINK_TOKENS
    more = [share * budget * without.answers for share in _REASONING]
    interval, context = Interval(low + more[1], high + more[2]), context_for(budget, max_tokens)
    thinking = Work(without.answers, prompts, usual + more[0], interval, reasons=True, context_tokens=context)
    if reasons_when(think, spec):
        return replace(thinking, otherwise=without)
    return replace(without, otherwise=thinking)


def reasons_when(think: Think, spec: ModelSpec) -> bool:
    """Whether a model that can reason does, as far as models.yaml tells; in a run its template decides."""
    if spec.thinking == "always":
        return True
    if think == "auto":
        return spec.reasoning is None or spec.reasoning.unasked
    return think != "off"
