"""Two runs of one model side by side: how many texts are the same, where the others part, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.compare_runs import Comparison, compare_runs, read_run
from cpu_codegen.compare_tables import comparison_table, records
from cpu_codegen.report.same_texts import same_texts
from tests.compare.test_compare import MANIFEST, model, sample, write_run

BUILD = {"build": "llama.cpp 1", "cpu_flags": "AVX2", "speculation": "off"}


def answer(problem: int, text: str, *, passed: bool = True, **fields: Any) -> dict[str, Any]:
    """A sample with its text, of four characters a token."""
    known = {"prompt_hash": f"p{problem}", "text": text, "completion_tokens": len(text) // 4, "finish_reason": "eos"}
    return sample(problem, passed=passed, **{**known, **fields})


def run(path: Path, *, width: int = 1, threads: int = 2, **changes: Any) -> Path:
    """A finished run of that width, whose texts are empty."""
    sessions = [{"width": width, "threads": threads}]
    return write_run(path, 20, **{"sessions": sessions, "engine": BUILD, **changes})


def rewrite(path: Path, problem: int, text: str) -> None:
    """Gives one answer of a run another text."""
    lines = (path / "generations.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    records[problem] |= {"text": text}
    (path / "generations.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")


def test_where_texts_part_is_counted_in_characters_and_tokens() -> None:
    """Median and earliest over the answers that differ; those that only go on longer or have another verdict are told apart."""
    common = "x" * 100
    first = [answer(i, common) for i in range(7)]
    second = [
        answer(0, "x" * 40 + "y" * 60, passed=False),
        answer(1, "x" * 60 + "y" * 60),
        answer(2, "x" * 120),
        *first[3:],
    ]
    found = same_texts(first, second)
    assert found is not None
    assert (found.answers, found.same, found.different) == (7, 4, 3)
    assert (found.equal_characters, found.least_characters, found.only_longer, found.flips) == (60, 40, 1, 1)
    assert found.equal_tokens == pytest.approx(15)
    assert (found.share.value, found.share.n) == (pytest.approx(4 / 7), 7)
    assert found.share.low < 4 / 7 < found.share.high
    said = "3 of 7 differ (1 of them only in length): 60 characters are equal before (≈ 15 tokens, median; 40 at the earliest)"
    assert found.sentence() == f"{said}; 1 of them changed its verdict"


def test_only_answers_to_the_same_prompt_that_were_generated_twice_count() -> None:
    """Another prompt text, an answer taken over, one that never came, and one that the engine failed at are left out."""
    first = [answer(i, "a") for i in range(5)]
    second = [
        answer(0, "a", prompt_hash="other"),
        answer(1, "a", reused_from="runs/a"),
        {key: value for key, value in answer(2, "").items() if key != "text"},
        answer(3, "", finish_reason="engine_error"),
        answer(4, "a"),
    ]
    found = same_texts(first, second)
    assert found is not None
    assert (found.answers, found.same, found.taken_over) == (1, 1, 1)
    assert found.sentence() == "all 1 equal to the last character; left out: 1 taken over from another run"
    assert same_texts(first[:1], second[:1]) is None


def test_a_verdict_that_is_not_known_is_no_flip() -> None:
    """A harness error, or an answer that nobody has judged yet, says nothing of verdicts."""
    first = [answer(0, "a"), answer(1, "a")]
    second = [answer(0, "b", outcome="harness_error"), answer(1, "b", outcome=None)]
    found = same_texts(first, second)
    assert found is not None
    assert (found.different, found.flips) == (2, 0)


def compared(*paths: Path) -> Comparison:
    """The one comparison of two runs."""
    (found,) = compare_runs([read_run(path) for path in paths])
    return found


def test_runs_of_two_widths_say_how_far_their_texts_are_the_same(tmp_path: Path) -> None:
    """In the table and in JSON, with what may have caused it; width is no setting, so nothing is refused."""
    narrow, wide = run(tmp_path / "one"), run(tmp_path / "eight", width=8)
    rewrite(wide, 3, "another")
    found = compared(narrow, wide)
    assert found.differing == ()
    (row,) = [row for row in comparison_table(found).rows if row[0] == "same texts"]
    assert row[1:4] == ("97.5 % [87.1, 99.6]", None, 40)
    assert str(row[4]).endswith("none of them changed its verdict; width: 1 v 8")
    assert comparison_table(found).title.endswith("nothing differs but width: 1 v 8)")
    told = records([found], [], [])["comparisons"][0]
    assert (told["same_texts"]["same"], told["same_texts"]["answers"]) == (39, 40)
    assert told["beside"] == [{"name": "width", "baseline": "1", "other": "8"}]
    shown = CliRunner().invoke(app, ["compare", str(narrow), str(wide)], catch_exceptions=False).stdout
    assert "1 of 40 differ (1 of them only in length): 0 characters are equal before" in shown


def test_all_that_may_turn_a_tie_is_named(tmp_path: Path) -> None:
    """Threads and build of llama.cpp too; where all texts are the same nothing is accused."""
    first = run(tmp_path / "a")
    second = run(tmp_path / "b", threads=1, engine={**BUILD, "build": "llama.cpp 2"})
    found = compared(first, second)
    assert [str(one) for one in found.beside] == ["threads: 2 v 1", "llama.cpp: llama.cpp 1 v llama.cpp 2"]
    (row,) = [row for row in comparison_table(found).rows if row[0] == "same texts"]
    assert row[4] == "all 40 equal to the last character"


def test_texts_that_differ_on_purpose_are_not_compared(tmp_path: Path) -> None:
    """Another model's, and those drawn with other seeds; one setting of greedy runs is a fair question."""
    first = run(tmp_path / "a")
    drawn = {**MANIFEST["settings"], "sampling": {"temperature": 0.8}}
    again = {**drawn, "seed": 1}
    assert compared(first, run(tmp_path / "b", model=model("Q2_K", 200))).texts is None
    hot = run(tmp_path / "c", settings=drawn)
    assert compared(hot, run(tmp_path / "d", settings=again)).texts is None
    assert compared(hot, run(tmp_path / "e", settings=drawn, width=8)).texts is not None
    assert compared(first, run(tmp_path / "f", settings={**MANIFEST["settings"], "max_tokens": 512})).texts is not None
