"""One answer while it grows: token bytes → text, stop strings, complete code blocks, loops. Pure.

Characters split over tokens are held back until whole. What is kept never depends on when an answer about a block arrives: the text is
cut at the block's closing fence, and the tokens are counted up to there.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from cpu_codegen.extraction.fences import REASONING_TAGS, find_blocks, strip_reasoning

LOOP_TOKENS = 256
LOOP_REPEATS = 8
LOOP_MAX_PERIOD = 64
LOOP_CHECK_EVERY = 32
MAX_ASKED_CHARS = 64_000

_CLOSINGS = tuple(closing for _, closing in REASONING_TAGS)


class AnswerStream:
    """The text of one sequence. `ends` holds the text's length after each token, to count tokens up to a cut."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self.stops = tuple(stop for stop in stops if stop)
        self._longest_stop = max(map(len, self.stops), default=0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.tokens: list[int] = []
        self.ends: list[int] = []
        self._scanned = 0
        self._asked_end = 0
        self._lines_seen = 0

    def add(self, token: int, piece: bytes) -> None:
        """One more token."""
        self.text += self._decoder.decode(piece)
        self.tokens.append(token)
        self.ends.append(len(self.text))

    def finish(self) -> None:
        """Bytes that never became a character are shown as U+FFFD."""
        self.text += self._decoder.decode(b"", final=True)
        if self.ends:
            self.ends[-1] = len(self.text)

    def stop_at(self) -> int | None:
        """Where the earliest stop string begins, if one has come up since the last look."""
        if not self.stops:
            return None
        start = max(0, self._scanned - self._longest_stop)
        self._scanned = len(self.text)
        found = [place for stop in self.stops if (place := self.text.find(stop, start)) >= 0]
        return min(found, default=None)

    def new_block(self) -> tuple[str, int] | None:
        """(code, where it ends) of the next closed Python block outside reasoning that was not given before.

        A closing fence counts once its line is complete: "```" may yet become "```python".
        """
        line_end = self.text.rfind("\n") + 1
        fresh = self.text[self._lines_seen : line_end]
        self._lines_seen = max(self._lines_seen, line_end)
        if "```" not in fresh and "~~~" not in fresh:
            return None
        answer, offset = _answer_part(self.text[:line_end])
        for block in find_blocks(answer):
            end = block.end + offset
            if block.closed and end > self._asked_end:
                self._asked_end = end
                if block.is_python and len(block.text) <= MAX_ASKED_CHARS:
                    return block.text, end
        return None

    def last_block(self) -> tuple[str, int] | None:
        """As `new_block` at the very end, where a closing fence needs no newline behind it."""
        self.text += "\n"
        try:
            block = self.new_block()
        finally:
            self.text = self.text[:-1]
        return (block[0], min(block[1], len(self.text))) if block else None

    def cut(self, end: int) -> None:
        """Keeps the text up to `end` and the tokens that it took."""
        count = next((i + 1 for i, size in enumerate(self.ends) if size >= end), len(self.ends))
        self.text, self.tokens, self.ends = self.text[:end], self.tokens[:count], self.ends[:count]

    def loops(self) -> bool:
        """Whether the last 256 tokens or more are 8 repeats or more of one cycle of at most 64 tokens."""
        count = len(self.tokens)
        if count < LOOP_TOKENS or count % LOOP_CHECK_EVERY:
            return False
        for period in range(1, LOOP_MAX_PERIOD + 1):
            size = max(LOOP_TOKENS, LOOP_REPEATS * period)
            if count >= size and self.tokens[-size:-period] == self.tokens[-size + period :]:
                return True
        return False

    def reasoning_tokens(self) -> int:
        """Tokens up to the end of the reasoning; 0 where there is none."""
        _, reasoning, unclosed = strip_reasoning(self.text)
        if not reasoning:
            return 0
        if unclosed:
            return len(self.tokens)
        end = max(self.text.find(closing) + len(closing) for closing in _CLOSINGS if closing in self.text)
        return next((i + 1 for i, size in enumerate(self.ends) if size >= end), len(self.ends))


def _answer_part(text: str) -> tuple[str, int]:
    """The text behind the reasoning and where it begins; "" while reasoning is open."""
    for opening, closing in REASONING_TAGS:
        start, end = text.find(opening), text.find(closing)
        if end >= 0 and start < end:
            return text[end + len(closing) :], end + len(closing)
        if start >= 0:
            return "", len(text)
    return text, 0
