"""How much there is to do: problems × styles, tokens of prompts and answers. Tokens of answers are a habit until a run tells."""

from __future__ import annotations

from dataclasses import dataclass

from cpu_codegen.errors import UsageError
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.stats import Interval

# problems, and tokens of a prompt with its instructions (characters / 3.6, as these texts tokenize)
SUITES = {
    "lowcost60": (60, 330),
    "humaneval": (164, 260),
    "humaneval+": (164, 260),
    "mbpp": (378, 190),
    "mbpp+": (378, 190),
}
# tokens of an answer: usual, and the interval that models of one size spread over
_ANSWERS = {"plain": (220, 90, 500), "cot": (420, 200, 800), "cot-efficient": (450, 200, 850)}
_THINKING = (1000, 600, 1024)
SHARED_PREFIX = 0.5
"""The part of a prompt that the style's problems have in common, decoded once."""


@dataclass(frozen=True, slots=True)
class Work:
    """All answers of the suites in the styles."""

    answers: int
    prompt_tokens: float
    answer_tokens: float
    interval: Interval


def work(suites: tuple[str, ...], styles: tuple[str, ...], spec: ModelSpec, *, max_tokens: int) -> Work:
    """Counts for one model: one that always thinks uses its whole budget."""
    unknown = [name for name in suites if name not in SUITES]
    if unknown:
        raise UsageError(f"no suite {unknown[0]!r}", remedy=f"one of {', '.join(SUITES)}")
    problems = sum(SUITES[name][0] for name in suites)
    prompts = sum(SUITES[name][0] * SUITES[name][1] for name in suites) * len(styles) * SHARED_PREFIX
    habits = [_THINKING if spec.thinking == "always" else _ANSWERS.get(style, _ANSWERS["cot"]) for style in styles]
    usual, low, high = (problems * sum(min(habit[i], max_tokens) for habit in habits) for i in range(3))
    return Work(problems * len(styles), prompts, usual, Interval(low, high))
