"""Small repairs of code that does not parse as it stands, each a function from text to text. Which are tried when: answer.py."""

from __future__ import annotations

from collections.abc import Callable

_INVISIBLE = {0xA0: " ", 0x202F: " ", 0x200B: None, 0x2060: None, 0xFEFF: None}


def _plain_spaces(code: str) -> str:
    """Characters that no program can hold outside of texts, and nobody sees: the byte order mark, spaces of other kinds."""
    return code.translate(_INVISIBLE)


def _without_fences(code: str) -> str:
    """A fence within a fence: "```" and "```python" one after the other."""
    return "\n".join(line for line in code.split("\n") if not line.lstrip().startswith(("```", "~~~")))


def expand_tabs(code: str) -> str:
    """Tabs as four spaces."""
    return code.expandtabs(4)


def _strip_prompts(code: str) -> str:
    lines = code.split("\n")
    if not any(line.startswith(">>> ") for line in lines):
        return code
    return "\n".join(line[4:] for line in lines if line.startswith((">>> ", "... ")))


def dedented(text: str) -> str:
    """Markdown's code by indentation: four spaces off every line that has them."""
    return "\n".join(line[4:] if line.startswith("    ") else line for line in text.split("\n"))


def indented(body: str) -> str:
    """Four spaces before every line that holds something."""
    return "\n".join("    " + line if line.strip() else line for line in body.split("\n"))


def torn_body(body: str) -> str:
    """An indented body up to its last flush-left line (what follows is prose or another definition)."""
    kept: list[str] = []
    for line in body.split("\n"):
        if line.strip() and not line[0].isspace():
            break
        kept.append(line)
    return "\n".join(kept)


MENDS: tuple[tuple[Callable[[str], str], str], ...] = (
    (expand_tabs, "tabs expanded"),
    (_strip_prompts, "interpreter prompts removed"),
    (_plain_spaces, "invisible characters removed"),
    (_without_fences, "fences within the block removed"),
)
