"""Fenced blocks and reasoning tags in a raw answer, found line by line in linear time.

Covered: ``` and ~~~ fences of any length, indented fences, info strings, an unclosed last fence; reasoning tags of the thinking
models, also unclosed or with the opening tag in the prompt. Not covered: whether a block's code is any good (answer.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PYTHON_INFO = frozenset({"", "python", "py", "python3", "py3", "python2", "code", "pycon"})

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
    """(answer, reasoning, unclosed). An opening tag that is never closed makes the rest reasoning."""
    for opening, closing in REASONING_TAGS:
        start, end = text.find(opening), text.find(closing)
        if start < 0 and end < 0:
            continue
        if end < 0:
            return text[:start], text[start + len(opening) :], True
        if start < 0 or end < start:  # the prompt opened it
            return text[end + len(closing) :], text[:end], False
        return text[:start] + text[end + len(closing) :], text[start + len(opening) : end], False
    return text, "", False


def find_blocks(text: str) -> list[Block]:
    """All fenced blocks in order; a fence that never closes yields a last block with closed=False."""
    blocks: list[Block] = []
    opening: tuple[str, str, int] | None = None  # (fence, info, start)
    inner: list[str] = []
    offset = 0
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line.rstrip("\r\n"))
        if match and opening is None:
            opening, inner = (match[2], _language(match[3]), offset), []
        elif match and opening and _closes(match, opening[0]):
            blocks.append(Block(opening[1], _dedent(inner), True, opening[2], offset + len(line)))
            opening = None
        elif opening is not None:
            inner.append(line)
        offset += len(line)
    if opening is not None:
        blocks.append(Block(opening[1], _dedent(inner), False, opening[2], len(text)))
    return blocks


def _closes(match: re.Match[str], fence: str) -> bool:
    return match[2][0] == fence[0] and len(match[2]) >= len(fence) and not match[3].strip()


def _language(info: str) -> str:
    words = info.strip().strip("{}").split()
    return words[0].lstrip(".").lower() if words else ""


def _dedent(lines: list[str]) -> str:
    """Removes the indentation that all non-blank lines share, as in a block inside a list."""
    filled = [line for line in lines if line.strip()]
    margin = min((len(line) - len(line.lstrip(" \t")) for line in filled), default=0)
    return "".join(line[margin:] if line.strip() else line.lstrip(" \t") for line in lines)
