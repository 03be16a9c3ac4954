"""Fenced blocks and reasoning tags in a raw answer, found line by line in linear time.

Covered: ``` and ~~~ fences of any length, indented fences, info strings, an unclosed last fence; reasoning tags of the thinking
models, also unclosed or with the opening tag in the prompt. Not covered: whether a block's code is any good (answer.py).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

PYTHON_INFO = frozenset({"", "python", "py", "python3", "py3", "python2", "code", "pycon"})

_CLOSING_INDENT = 3
_QUOTE = re.compile(r"^[ \t]*>[ ]?")
_FENCE = re.compile(r"^([ \t>]{0,32})(`{3,}|~{3,})[ \t]*([^`\n]{0,200})$")

# (opening, closing) of the families' reasoning; the closing one alone counts when the prompt held the opening.
REASONING_TAGS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
    ("[THINK]", "[/THINK]"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<seed:think>", "</seed:think>"),
    ("<|channel>thought", "<channel|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `end` is the offset just behind the closing fence line (or the text's end)."""

    info: str
    text: str
    closed: bool
    start: int
    end: int

    @property
    def is_python(self) -> bool:
        """True for python fences and fences without a language."""
        return self.info in PYTHON_INFO


def strip_reasoning(text: str) -> tuple[str, str, bool]:
    """(answer, reasoning, unclosed). An opening tag that is never closed makes the rest reasoning.

    A tag in the code of a closed block is the program's own, unless it stands alone on its line.
    """
    blocks: list[Block] = []
    for opening, closing in REASONING_TAGS:
        if opening not in text and closing not in text:
            continue
        blocks = blocks or [block for block in find_blocks(text) if block.closed]
        start, end = _tag(text, opening, blocks), _tag(text, closing, blocks)
        if start < 0 and end < 0:
            continue
        if end < 0:
            return text[:start], text[start + len(opening) :], True
        if start < 0 or end < start:  # the prompt opened it
            return text[end + len(closing) :], text[:end], False
        end = text.find(closing, start)
        rest = text[end + len(closing) :]
        inner = text[start + len(opening) : end]
        if opening not in rest:
            return text[:start] + rest, inner, False
        answer, more, unclosed = _later_reasoning(rest, opening, closing)
        return text[:start] + answer, inner + more, unclosed
    return text, "", False


def _later_reasoning(text: str, opening: str, closing: str) -> tuple[str, str, bool]:
    """The same for what follows the first reasoning: more of it must be opened by a tag of its own."""
    answer, reasoning = "", ""
    while (start := _tag(text, opening, [block for block in find_blocks(text) if block.closed])) >= 0:
        end = text.find(closing, start)
        answer += text[:start]
        if end < 0:
            return answer, reasoning + text[start + len(opening) :], True
        reasoning += text[start + len(opening) : end]
        text = text[end + len(closing) :]
    return answer + text, reasoning, False


def _tag(text: str, tag: str, blocks: list[Block]) -> int:
    """Where the first such tag stands that is no part of a block's code; -1 without one."""
    at = text.find(tag)
    while at >= 0:
        line = text[text.rfind("\n", 0, at) + 1 : at] + text[at : _end_of_line(text, at)]
        if line.strip() == tag or not any(block.start < at < block.end for block in blocks):
            return at
        at = text.find(tag, at + len(tag))
    return -1


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def find_blocks(text: str, most: int | None = None) -> list[Block]:
    """All fenced blocks in order, or the first `most`; a fence that never closes yields a last block with closed=False."""
    return list(itertools.islice(_blocks(text), most))


def _blocks(text: str) -> Iterator[Block]:
    opening: re.Match[str] | None = None
    inner: list[str] = []
    start = offset = 0
    for line in text.split("\n"):
        match = _FENCE.match(line.rstrip("\r"))
        end = min(offset + len(line) + 1, len(text))
        if match and opening is None:
            opening, inner, start = match, [], offset
        elif match and opening and _closes(match, opening):
            yield Block(_language(opening[3]), _code(inner, opening[1]), True, start, end)
            opening = None
        elif opening is not None:
            inner.append(text[offset:end])
        offset = end
    if opening is not None:
        yield Block(_language(opening[3]), _code(inner, opening[1]), False, start, len(text))


def _closes(match: re.Match[str], opening: re.Match[str]) -> bool:
    """The same mark, as long or longer, nothing behind it; as in Markdown not indented like code, as a docstring's fences are."""
    if match[2][0] != opening[2][0] or len(match[2]) < len(opening[2]) or match[3].strip():
        return False
    return len(match[1].expandtabs(4)) <= len(opening[1].expandtabs(4)) + _CLOSING_INDENT


def _code(lines: list[str], margin: str) -> str:
    """Without the marks of a quotation that the whole block stands in, and without shared indentation."""
    if ">" in margin:
        lines = [_QUOTE.sub("", line) for line in lines]
    return _dedent(lines)


def _language(info: str) -> str:
    words = info.strip().strip("{}").split()
    return words[0].lstrip(".").lower() if words else ""


def _dedent(lines: list[str]) -> str:
    """Removes the indentation that all non-blank lines share, as in a block inside a list."""
    filled = [line for line in lines if line.strip()]
    margin = min((len(line) - len(line.lstrip(" \t")) for line in filled), default=0)
    return "".join(line[margin:] if line.strip() else line.lstrip(" \t") for line in lines)
