"""Which samples to begin with, so that no worker is left alone with a long one at the end, nor waits for another one's task.

A hint, no more: records and verdicts are the same in any order.
"""

from __future__ import annotations

from collections import Counter

# Rough seconds of the canonical solution over all inputs, where over one.
SLOW_TASKS = {
    "HumanEval/139": 5.0, "HumanEval/15": 5.0, "HumanEval/36": 2.0, "HumanEval/59": 2.0, "HumanEval/130": 2.0,
    "Mbpp/599": 30.0, "Mbpp/255": 20.0, "Mbpp/392": 7.0, "Mbpp/271": 5.0, "Mbpp/123": 4.0, "Mbpp/603": 3.0, "Mbpp/592": 2.5,
    "Mbpp/589": 2.0, "Mbpp/84": 2.0,
}  # fmt: skip


class BeginOrder:
    """Ranks samples, lowest first: of each task one, the slow tasks leading, then the others in the same way.

    One of each first: a task's expected outputs are computed with its first sample, and the next one has to wait for them.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def rank(self, problem_id: str) -> tuple[bool, float]:
        """Of the next sample of this problem."""
        self._seen[problem_id] += 1
        return self._seen[problem_id] > 1, -SLOW_TASKS.get(problem_id, 0.0)
