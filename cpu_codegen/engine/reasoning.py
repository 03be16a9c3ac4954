"""One answer's reasoning while it is written: where it begins, where it ends, what it may cost. Pure, like the scheduler.

It begins in the prompt or with the opening tag, and ends with the closing tag, or when the budget is spent or the text goes round
in circles: then the closing sequence is fed as prompt tokens. Reasoning happens once: a block that is opened again is answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cpu_codegen.schema import ReasoningEnd, Thinking

State = Literal["before", "inside", "after"]


@dataclass(frozen=True, slots=True)
class Closing:
    """A request's `thinking` in tokens: those of the closing sequence, and how many the opening may take."""

    thinking: Thinking
    sequence: tuple[int, ...]
    opening_tokens: int

    @property
    def most_tokens(self) -> int:
        """What reasoning may add to an answer's tokens."""
        return self.opening_tokens + self.thinking.budget + len(self.sequence)


class ReasoningWatch:
    """Follows one answer. `limit` is the count of written tokens at which the answer has used up its own."""

    def __init__(self, closing: Closing, *, prompt: str, max_tokens: int) -> None:
        self.closing = closing
        self.state: State = "before"
        self.end: ReasoningEnd = "none"
        self.fed = 0
        self.limit = max_tokens
        self._max_tokens = max_tokens
        self._first = 0
        self._tokens = 0
        self._budget_end = 0
        self._cost_mark: tuple[int, float] | None = None
        self._cost_s = 0.0
        if prompt.rstrip().endswith(closing.thinking.opening.rstrip()):
            self._open(first=0, behind=0)

    @property
    def is_spent(self) -> bool:
        """Whether the last token was the budget's last."""
        return self.state == "inside" and self._tokens >= self._budget_end

    def follow(self, text: str, new: int, count: int, cost_s: float) -> None:
        """One more token: `text` ends with its `new` characters, `count` are written, `cost_s` is what all before cost."""
        thinking = self.closing.thinking
        if self.state == "before":
            if _ends_within(text, new, thinking.opening):
                self._open(first=count - 1, behind=count)
            return
        self._tokens = count - self._first
        if self._cost_mark is None:
            self._cost_mark = (count, cost_s)
        self._cost_s = cost_s
        if _ends_within(text, new, thinking.closing):
            self._close("model")

    def cut(self, why: ReasoningEnd) -> tuple[int, ...]:
        """Ends the reasoning from outside; the tokens that are to be fed."""
        self.fed = len(self.closing.sequence)
        self._close(why)
        return self.closing.sequence

    def counted(self, kept: int) -> tuple[ReasoningEnd, int, int]:
        """Of an answer of which `kept` tokens are kept: how reasoning ended, its tokens, the tokens fed behind it."""
        if self.state == "before" or self._first >= kept:
            return "none", 0, 0
        return self.end if self.state == "after" else "model", min(self._tokens, kept - self._first), self.fed

    def seconds(self) -> float:
        """The share of `cost_s`: what its tokens cost between the second and the last, scaled to all of them."""
        if self._cost_mark is None:
            return 0.0
        count, cost_s = self._cost_mark
        steps = self._first + self._tokens - count
        return (self._cost_s - cost_s) * self._tokens / steps if steps > 0 else 0.0

    def _open(self, *, first: int, behind: int) -> None:
        self.state, self._first = "inside", first
        self._budget_end = behind - first + self.closing.thinking.budget
        self.limit = first + self.closing.most_tokens + self._max_tokens  # only the budget ends it

    def _close(self, why: ReasoningEnd) -> None:
        self.state, self.end = "after", why
        self.limit = self._max_tokens + self._tokens + self.fed


def _ends_within(text: str, new: int, tag: str) -> bool:
    """Whether the tag ends among the last `new` characters."""
    return text.find(tag, max(0, len(text) - new - len(tag) + 1)) >= 0
