"""Guessing ahead: what is guessed, when it pauses, and that texts stay the model's own."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cpu_codegen.columns.generate import _say_unused_draft
from cpu_codegen.config import RunConfig
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.protocol import EngineInfo, EngineSettings
from cpu_codegen.engine.speculate import AHEAD, Lookup, Paying
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import prepare
from cpu_codegen.packaged import demo_model
from cpu_codegen.schema import Request, Sampling
from scripts import make_synthetic_gguf as synthetic


def test_lookup_continues_as_before() -> None:
    """The latest earlier place counts, the limit holds, and without repetition nothing is guessed."""
    prompt = [1, 2, 3, 4, 50, 51, 9, 1, 2, 3, 4, 60, 61, 62, 63, 64]
    assert Lookup().guess(prompt, [1, 2, 3, 4], 9) == [60, 61, 62, 63]
    assert Lookup().guess(prompt, [1, 2, 3, 4], 2) == [60, 61]
    assert Lookup().guess([1, 2, 3], [4, 5], 9) == []


def test_guessing_pauses_while_it_does_not_pay_and_tries_again() -> None:
    """Wrong guesses end it for some tokens; right ones keep it up; a break-even beyond reach never begins."""
    prompt = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]
    paying = Paying(Lookup(), break_even=1.0)
    asked = 0
    for _ in range(200):
        if paying.guess(prompt, [], 9):
            asked += 1
            paying.learn(0, AHEAD)
    assert 5 < asked < 40
    eager = Paying(Lookup(), break_even=1.0)
    for _ in range(50):
        assert eager.guess(prompt, [], 9)
        eager.learn(3, AHEAD)
    assert Paying(Lookup(), break_even=4.0).guess(prompt, [], 9) == []


def texts(**fields: object) -> tuple[dict[str, str], dict[str, int], str]:
    """Greedy answers at width 1, the totals, and what the engine says of speculation."""
    asked = [
        Request(str(i), f"<|im_start|>user\nrow row row {i}, row row\n", True, 0, 40, early_stop=False)
        for i in range(3)
    ]
    settings = EngineSettings(str(demo_model()), "", ctx_tokens=512, threads=1, parallel=1)
    with LlamaEngine(replace(settings, **fields)) as engine:  # type: ignore[arg-type]
        found = {g.key: g.text for g in engine.run(asked)}
        again = {g.key: g.text for g in engine.run(asked[:1])}
        assert again == {key: found[key] for key in again}, "a run leaves nothing behind that changes the next"
        return found, engine.totals, engine.info.speculation


@pytest.mark.model
@pytest.mark.parametrize("draft", ["lookup", "itself"])
def test_greedy_texts_are_the_same_with_guesses(draft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By lookup, and by a draft model (here the model itself, which therefore guesses right)."""
    pytest.importorskip("llama_cpp")
    plain, _, off = texts()
    found, totals, words = texts(draft=str(demo_model()) if draft == "itself" else draft)
    assert off == "off"
    assert "where it pays" in words
    assert sum(found[key] == plain[key] for key in plain) >= 2
    assert totals["guessed_right"] <= totals["guessed_tokens"]


def test_a_draft_that_cannot_serve_is_refused(tmp_path: object) -> None:
    """Before anything is loaded."""
    from pathlib import Path

    path = Path(str(tmp_path)) / "other.gguf"
    synthetic.write(path, synthetic.TINY["tiny-llama"], "other", "Q8_0")
    with pytest.raises(UsageError, match="another vocabulary"):
        LlamaEngine(EngineSettings(str(demo_model()), "", ctx_tokens=512, draft=str(path)))
    recurrent = path.with_name("recurrent.gguf")
    synthetic.write(recurrent, synthetic.TINY["tiny-recurrent"], "recurrent", "Q8_0")
    with pytest.raises(UsageError, match="recurrent state"):
        LlamaEngine(EngineSettings(str(path), "", ctx_tokens=512, draft=str(recurrent)))
    with pytest.raises(UsageError, match="another vocabulary"):
        prepare(RunConfig("demo", limit=1, draft=str(path)))  # before there is a run folder


@pytest.mark.parametrize(
    ("info", "temperature", "words"),
    [
        (
            {"width": 8, "width_source": "calibrated"},
            0,
            "8 samples are decoded together (calibrated width); --parallel 1",
        ),
        ({"speculation": "lookup, where it pays"}, 0.8, "only greedy answers can be guessed ahead"),
        ({"memory_kind": "recurrent"}, 0, "a model with recurrent state cannot forget a wrong guess"),
        ({"speculation": "lookup, where it pays"}, 0, ""),
    ],
)
def test_a_draft_that_is_not_used_is_told(info: dict[str, Any], temperature: float, words: str) -> None:
    """With what to type; nothing that was asked for is passed over in silence, and nothing is said where it is used."""
    told: list[str] = []
    opened = EngineInfo(**{"kind": "llama.cpp", "width": 1, "threads": 1, "load_s": 0.0, **info})
    inputs = SimpleNamespace(samples=[SimpleNamespace(sampling=Sampling(temperature))])
    _say_unused_draft(RunConfig("demo", draft="lookup"), opened, inputs, SimpleNamespace(say=told.append))  # type: ignore[arg-type]
    assert len(told) == bool(words)
    assert all(line.startswith("note: --draft lookup is not used: ") and words in line for line in told)
    _say_unused_draft(RunConfig("demo"), opened, inputs, SimpleNamespace(say=told.append))  # type: ignore[arg-type]
    assert len(told) == bool(words)
