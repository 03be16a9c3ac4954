"""Text to tokens and back through llama.cpp: what begins a sequence, special tokens in prompts, characters of several tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPO

pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.model

THINKER = REPO / "tests" / "data" / "thinker.gguf"
END_OF_TEXT, START, END, THINK, NO_MORE = range(5)


@contextmanager
def model(path: Path = THINKER) -> Iterator[Any]:
    """Its vocabulary; the weights are mapped and never looked at."""
    from cpu_codegen.engine import binding

    binding.start_backend()
    loaded = binding.Model(str(path))
    yield loaded
    loaded.close()


def test_special_tokens_of_a_template_count_as_one_and_nothing_is_added_unasked() -> None:
    """A file without BOS gets none; an empty prompt still has a token to stand on; tokens that end an answer are known."""
    with model() as thinker:
        tokens = thinker.tokenize("<|im_start|>user\nx<|im_end|>\n<think>", add_special=True)
        assert (tokens[0], tokens.count(END), tokens[-1]) == (START, 1, THINK)
        assert thinker.tokenize("", add_special=True) == [END_OF_TEXT]
        assert thinker.ends == {END_OF_TEXT, END}


def test_a_file_that_asks_for_bos_gets_it_once(tmp_path: Path) -> None:
    """Only where the prompt is to be a sequence's beginning: a template that writes it itself is taken as it is."""
    data, key = bytearray(THINKER.read_bytes()), b"tokenizer.ggml.add_bos_token"
    data[data.index(key) + len(key) + 4] = 1
    (tmp_path / "bos.gguf").write_bytes(data)
    with model(tmp_path / "bos.gguf") as beginning:
        plain = beginning.tokenize("def f", add_special=False)
        assert beginning.tokenize("def f", add_special=True) == [END_OF_TEXT, *plain]
        assert END_OF_TEXT not in plain


def test_characters_of_several_tokens_come_back_whole() -> None:
    """Their bytes are split over tokens, and together they are the text; control tokens have no text but those of reasoning."""
    text = "größer → 🦙 def f():\n\treturn 1\r\n"
    with model() as thinker:
        pieces = [thinker.piece(token) for token in thinker.tokenize(text, add_special=False)]
        assert b"".join(pieces).decode() == text
        assert any(not _is_text(piece) for piece in pieces)
        assert [thinker.piece(token) for token in (START, END, THINK, NO_MORE)] == [b"", b"", b"<think>", b"</think>"]


def _is_text(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
