"""Reads an answer while it is written: when is it complete, where is a stop string?

Covered: characters split over tokens, stop strings split over tokens, closed fenced blocks outside reasoning. Not covered: loops
(loops.py), the budget of reasoning (reasoning.py), whether a block's code is a solution: the parent's sandboxed parser says whether
it defines the entry point.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.extraction.fences import REASONING_TAGS, find_blocks, strip_reasoning
from cpu_codegen.schema import ReasoningEnd

_INDENT = " \t>"
MAX_QUESTIONS = 40
"""As many blocks as extraction looks at."""


@dataclass(frozen=True, slots=True)
class Question:
    """A closed block that may complete the answer; the text would be kept up to `cut`, of `tokens` tokens."""

    code: str
    cut: int
    tokens: int


class Text:
    """Bytes of tokens → text. A character split over tokens appears with its last byte, a broken one as U+FFFD."""

    def __init__(self) -> None:
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._is_whole = True

    def add(self, piece: bytes) -> str:
        """The text that became whole with this token."""
        if self._is_whole and piece.isascii():  # nearly every token of code
            new = piece.decode("ascii")
        else:
            new = self._decoder.decode(piece)
            self._is_whole = not self._decoder.getstate()[0]
        self.text += new
        return new

    def end(self) -> None:
        """No more tokens: a character that never became whole shows as broken."""
        self.text += self._decoder.decode(b"", final=True)


def first_stop(text: str, new: int, stops: Sequence[str]) -> int | None:
    """The offset of the earliest stop string that ends within the last `new` characters; None without one."""
    before = len(text) - new + 1
    hits = [at for stop in stops if stop and (at := text.find(stop, max(0, before - len(stop)))) >= 0]
    return min(hits) if hits else None


def reasoning_is_open(prompt: str) -> bool:
    """True when the prompt itself ends inside reasoning, as the templates of some thinking models do."""
    tail = prompt[-200:].rstrip()
    return any(tail.endswith(opening) for opening, _ in REASONING_TAGS)


def reasoning_is_over(prompt: str) -> bool:
    """True when the prompt ends with a closed block, as templates do with reasoning switched off: one opened again is answer."""
    tail = prompt[-200:].rstrip()
    return any(tail.endswith(closing) for _, closing in REASONING_TAGS)


class FenceWatch:
    """Finds the block that has just closed. Looks only when a line that looks like a fence is complete."""

    def __init__(self, *, prompt: str) -> None:
        self._awaits_close = reasoning_is_open(prompt)
        self._line_start = 0
        self._asked = 0

    def is_on_fence(self, text: str) -> bool:
        """True when the line that is being written begins like a fence: the token that ends it decides."""
        return text[self._line_start :].lstrip(_INDENT).startswith(("`", "~"))

    def closed_block(self, text: str, tokens: int) -> Question | None:
        """The python block that the last complete line of `text` closes, outside reasoning."""
        question = None
        while (end := text.find("\n", self._line_start)) >= 0:
            line = text[self._line_start : end].lstrip(_INDENT)
            self._line_start = end + 1
            if line.startswith(("```", "~~~")) and self._asked < MAX_QUESTIONS:
                question = question or self._block(text[: end + 1], tokens)
        return question

    def _block(self, text: str, tokens: int) -> Question | None:
        answer, _, unclosed = strip_reasoning(text)
        if unclosed or (self._awaits_close and answer is text):
            return None
        blocks = find_blocks(answer)
        if not blocks or not blocks[-1].closed or blocks[-1].end != len(answer) or not blocks[-1].is_python:
            return None
        self._asked += 1
        return Question(blocks[-1].text, len(text), tokens)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How the reasoning of an answer ended, and its share of the text's tokens."""

    end: ReasoningEnd
    tokens: int


def reasoning_of(text: str, pieces: Sequence[bytes], *, prompt: str, ended_by: ReasoningEnd) -> Reasoning:
    """`ended_by` is how reasoning counts that never closed: budget, loop, or the model's own end."""
    if reasoning_is_over(prompt):
        return Reasoning("none", 0)
    _, inner, unclosed = strip_reasoning(text)
    open_ended = unclosed or (reasoning_is_open(prompt) and not inner)
    if open_ended:
        inner = inner or text
    elif not inner:
        return Reasoning("none", 0)
    length, tokens = len(inner.encode("utf-8", errors="replace")), 0
    for piece in pieces:
        if length <= 0:
            break
        length -= len(piece)
        tokens += 1
    return Reasoning(ended_by if open_ended else "model", tokens)
