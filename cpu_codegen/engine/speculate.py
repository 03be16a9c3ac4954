"""Guessing ahead for one greedy stream: tokens that the model would have chosen anyway, checked several in one step.

`lookup` continues the last words as they were continued before, in the prompt or the answer; a draft model continues them by
itself. A guess never changes what is chosen: a token counts only when the model's own greedy choice equals it. Guessing stops as
long as it does not pay: a step of several tokens costs more than a step of one, by a factor that is measured at the start.
Not covered: sampling at a temperature, batches, recurrent and hybrid models (they cannot forget wrong guesses).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cpu_codegen.engine.backend import Guesser
from cpu_codegen.schema import Sampling

if TYPE_CHECKING:
    from cpu_codegen.engine.context import Context

AHEAD = 4
"""Tokens guessed at once."""

LOOKUP = "lookup"
_GRAMS = (4, 3)
_PAUSE_TOKENS = 48
_MEMORY = 0.85


class Lookup:
    """Finds the latest earlier place where the last few tokens stood, and guesses what followed there."""

    def guess(self, prompt: Sequence[int], written: Sequence[int], limit: int) -> list[int]:
        """At most AHEAD tokens; none where nothing repeats."""
        tokens = [*prompt, *written]
        for length in _GRAMS:
            tail = tokens[-length:]
            for start in range(len(tokens) - length - 1, -1, -1):
                if tokens[start] == tail[0] and tokens[start : start + length] == tail:
                    return tokens[start + length : start + length + min(AHEAD, limit)]
        return []

    def learn(self, right: int, guessed: int) -> None:
        """Nothing to learn."""


class Draft:
    """A smaller model with the same vocabulary, decoding greedily on its own context (one sequence)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sampler = context.new_sampler(Sampling(), 0)
        self._fed: list[int] = []

    def guess(self, prompt: Sequence[int], written: Sequence[int], limit: int) -> list[int]:
        """The draft model's next tokens."""
        token = self._catch_up([*prompt, *written])
        guessed: list[int] = []
        while len(guessed) < min(AHEAD, limit) and token not in self._context.ends:
            guessed.append(token)
            if len(guessed) < min(AHEAD, limit):
                token = self._feed([token])
        return guessed

    def learn(self, right: int, guessed: int) -> None:
        """The next guess compares what was fed with what was chosen."""

    def _catch_up(self, tokens: list[int]) -> int:
        """Feeds what is new and forgets what was guessed wrongly; the token that follows."""
        kept = 0
        while kept < min(len(self._fed), len(tokens) - 1) and self._fed[kept] == tokens[kept]:
            kept += 1
        if kept < len(self._fed):
            self._context.trim(0, kept)
            del self._fed[kept:]
        return self._feed(tokens[kept:])

    def _feed(self, tokens: list[int]) -> int:
        size, last = self._context.batch_tokens, 0
        for start in range(0, len(tokens), size):
            part, at = tokens[start : start + size], len(self._fed)
            self._context.decode(part, range(at, at + len(part)), [0] * len(part), [0] * (len(part) - 1) + [1])
            self._fed += part
            last = len(part) - 1
        return self._context.sample(self._sampler, last)


class Paying:
    """Lets a guesser speak only while its guesses are right often enough: more than `break_even` tokens a guess, on average."""

    def __init__(self, guesser: Guesser, break_even: float) -> None:
        self._guesser, self._break_even = guesser, break_even
        self._right = float(AHEAD)
        self._pause = 0

    def guess(self, prompt: Sequence[int], written: Sequence[int], limit: int) -> list[int]:
        """The guesser's guess, or none during a pause."""
        if self._break_even >= AHEAD:
            return []
        if self._pause > 0:
            self._pause -= 1
            return []
        return self._guesser.guess(prompt, written, limit)

    def learn(self, right: int, guessed: int) -> None:
        """Pauses when the running mean falls below what a step of several tokens costs; then tries again."""
        self._guesser.learn(right, guessed)
        self._right = _MEMORY * self._right + (1 - _MEMORY) * right
        if self._right < self._break_even:
            self._pause, self._right = _PAUSE_TOKENS, self._break_even + 0.5


def break_even(context: Context, *, guess_s: float = 0.0) -> float:
    """How many of AHEAD guesses must be right on average: (cost of a step with guesses, and of guessing) / (plain step) − 1."""
    plain, guessing = _step_s(context, 1), _step_s(context, 1 + AHEAD)
    return (guessing + guess_s) / plain - 1


def _step_s(context: Any, tokens: int) -> float:
    """The median of three steps behind 32 tokens."""
    seconds = []
    for _ in range(4):
        context.clear()
        context.decode(list(range(3, 35)), range(32), [0] * 32, [0] * 32)
        context.synchronize()
        began = time.perf_counter()
        context.decode(list(range(3, 3 + tokens)), range(32, 32 + tokens), [0] * tokens, [1] * tokens)
        context.synchronize()
        seconds.append(time.perf_counter() - began)
    context.clear()
    return statistics.median(seconds[1:])
