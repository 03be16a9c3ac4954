"""Reading an answer while it is written: split characters, stop strings, closed blocks, reasoning."""

from __future__ import annotations

import pytest

from cpu_codegen.engine.watch import FenceWatch, Text, first_stop, reasoning_of


def test_a_character_split_over_tokens_appears_whole() -> None:
    """No replacement character for bytes that only wait for their rest; one for bytes that never get it."""
    text = Text()
    assert [text.add(bytes([byte])) for byte in "a€😀".encode()] == ["a", "", "", "€", "", "", "", "😀"]
    text.add(b"\xe2\x82")
    text.end()
    assert text.text == "a€😀\ufffd"


def test_the_earliest_stop_string_wins() -> None:
    """Two stops in one token: the text is cut at the first."""
    assert first_stop("one two three", 13, ("three", "two")) == 4
    assert first_stop("one two", 3, ("one",)) is None, "an old text is not searched again"


def blocks(text: str, *, prompt: str = "", step: int = 3) -> list[tuple[str, int]]:
    """(code, cut) of all questions when the text arrives in pieces."""
    watch = FenceWatch(prompt=prompt)
    found = []
    for end in range(step, len(text) + step, step):
        question = watch.closed_block(text[:end], end)
        if question:
            found.append((question.code, question.cut))
    return found


@pytest.mark.parametrize("step", [1, 2, 5, 200])
def test_a_block_is_asked_about_once_when_its_fence_line_is_whole(step: int) -> None:
    """The cut is just behind the fence's line, whatever the pieces."""
    text = "Text\n```python\nx = 1\n```\nmore\n~~~\nother\n~~~\n"
    found = blocks(text, step=step)
    assert found[0] == ("x = 1\n", text.index("more"))
    assert len(found) == (1 if step == 200 else 2)


def test_blocks_of_other_languages_and_open_blocks_are_not_asked_about() -> None:
    """A shell block is no answer, an open fence may go on."""
    assert blocks("```bash\nls\n```\n```python\nx = 1\n") == []


def test_nothing_is_asked_inside_reasoning() -> None:
    """Also when the prompt opened the reasoning; what follows the closing tag counts again."""
    block = "```python\nx = 1\n```\n"
    assert blocks(f"<think>\n{block}") == []
    assert blocks(block, prompt="user: hi\n<think>\n") == []
    assert [code for code, _ in blocks(f"{block}</think>\n{block}", prompt="<think>")] == ["x = 1\n"]


def test_reasoning_is_counted_apart() -> None:
    """How it ended, and how many of the answer's tokens it took."""
    text = "<think>abc</think>code"
    pieces = [c.encode() for c in text]
    closed = reasoning_of(text, pieces, prompt="", ended_by="budget")
    assert (closed.end, closed.tokens) == ("model", 3)
    assert reasoning_of("<think>abc", pieces[:10], prompt="", ended_by="budget").end == "budget"
    assert reasoning_of("abc", pieces[:3], prompt="x<think>", ended_by="loop").end == "loop"
    assert reasoning_of("code", pieces[:4], prompt="", ended_by="model").end == "none"
