"""The packaged demo model: a real GGUF that answers in both styles, mostly right and sometimes wrong, and knows what it saw."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from cpu_codegen.gguf_header import read_header
from cpu_codegen.packaged import demo_model
from tests.line.conftest import Run
from tests.line.support import lines

REPO = Path(__file__).resolve().parents[2]
AT_LEAST, PROBLEMS = 30, 60


def test_it_is_small_and_has_a_template_and_a_tokenizer_of_its_own() -> None:
    """At most 8 MB, llama architecture, chat template in the metadata."""
    header = read_header(demo_model())
    assert demo_model().stat().st_size <= 8_000_000
    assert header.architecture == "llama"
    assert header.chat_template


@pytest.mark.slow
@pytest.mark.model
def test_it_solves_most_but_not_all_problems_in_both_styles(
    cpu_codegen: Run, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    """At least 30 and fewer than 60 of 60 in each style; cot reasons in numbered lines before one fenced block; no loops."""
    result = cpu_codegen(
        "run", "-m", "demo", "-t", "1", "--style", "plain,cot", "--efficiency-budget", "0", "--out", "all"
    )
    assert result.returncode == 0, result.stderr
    passed = Counter(r["style"] for r in lines(tmp_path / "all" / "results.jsonl") if r["outcome"] == "passed")
    record_property("corpus_has_drifted", corpus_has_drifted())
    for style in ("plain", "cot"):
        assert AT_LEAST <= passed[style] < PROBLEMS, f"{passed} (corpus has drifted: {corpus_has_drifted()})"
    ends = Counter(g["finish_reason"] for g in lines(tmp_path / "all" / "generations.jsonl"))
    assert ends["loop"] == 0, "the rule for loops touches none of its answers"
    reasoned = [g["text"] for g in lines(tmp_path / "all" / "generations.jsonl") if g["style"] == "cot"]
    kept = [text for text in reasoned if text.startswith("1. ") and "\n5. " in text and text.count("```python") == 1]
    assert len(kept) >= AT_LEAST


def corpus_has_drifted() -> bool:
    """Whether the problems, prompts or reasoning texts have changed since the training; the card then has to say so."""
    sys.path.insert(0, str(REPO / "scripts"))
    try:
        from demo_model.corpus import build_pairs, corpus_sha256
    finally:
        sys.path.pop(0)
    card = json.loads(demo_model().with_suffix(".json").read_text(encoding="utf-8"))
    return bool(corpus_sha256(build_pairs()) != card["corpus_sha256"])
