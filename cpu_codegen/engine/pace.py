"""Under a deadline: may a sample still begin? Only if it can end in time at its longest, at the speed that is measured. Pure.

The speed is that of the steps themselves, kept up to date while they go on; what each finished answer costs afterwards (its
scoring) is reserved when it begins. Not covered: ending samples that are late all the same (llama.py does).
"""

from __future__ import annotations

from dataclasses import dataclass

from cpu_codegen.engine.lane import Job

MARGIN = 1.15
"""Later steps are slower than earlier ones: contexts grow."""

_NEW = 0.05
"""The weight of one more step in the running mean: it follows a change within some twenty steps."""


@dataclass(slots=True)
class Pace:
    """`ends_s`: when all answers must be there, on the scheduler's clock. `step_s`, `token_s`: seconds of a step that decodes,
    and of one token of a prompt, as far as measured. `each_s` is kept for every sample that begins.
    """

    ends_s: float
    step_s: float
    token_s: float = 0.0
    each_s: float = 0.0

    def saw(self, seconds: float, *, decoding: int, prompt_tokens: int) -> None:
        """One step took this long with so many sequences decoding and so many tokens of prompts in it."""
        if decoding:
            self.step_s += _NEW * (seconds - self.step_s)
        elif prompt_tokens:
            per_token = seconds / prompt_tokens
            self.token_s = per_token if not self.token_s else self.token_s + _NEW * (per_token - self.token_s)

    def allows(self, job: Job, now_s: float) -> bool:
        """Whether the job can end in time; if so, the time to judge its answer is taken off."""
        prompt = len(job.tokens) - job.shared
        longest_s = prompt * self.token_s + (job.cells - prompt) * self.step_s
        if now_s + MARGIN * longest_s + self.each_s > self.ends_s:
            return False
        self.ends_s -= self.each_s
        return True
