"""The alarm: a complete greedy plain run against the lowest EvalPlus row less an allowance; no cause without evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom

from cpu_codegen.report.alarm import alarm_notes, alarms, allowance
from cpu_codegen.report.overview import notes
from cpu_codegen.report.page import write_page
from cpu_codegen.report.records import run_record
from cpu_codegen.report.summary import RunSummary, summarize
from tests.recommend.support import write_run

MODEL = "deepseek-coder-6.7b@q4_k_m"
LOWEST = 0.707
"""HumanEval+ of the two EvalPlus rows in models.yaml: 71.3 and 70.7."""


def run(
    tmp_path: Path, passed: int, *, suite: str = "humaneval+", count: int = 164, name: str = MODEL, **more: Any
) -> RunSummary:
    """A whole run, summarized."""
    return summarize(write_run(tmp_path / "r", name, suite, count, passed, **more))


def test_the_test_is_the_exact_binomial_one(tmp_path: Path) -> None:
    """Against 70.7 less 3 points: scipy gives the same p."""
    (found,) = alarms(run(tmp_path, 98))
    assert found.published == pytest.approx(LOWEST)
    assert found.allowance == pytest.approx(0.03)
    assert found.p == pytest.approx(binom.cdf(98, 164, LOWEST - 0.03), rel=1e-9)


@pytest.mark.parametrize(("passed", "short"), [(120, False), (98, False), (90, True), (20, True)])
def test_it_rings_at_one_percent(tmp_path: Path, passed: int, short: bool) -> None:
    """And is silent otherwise."""
    summary = run(tmp_path, passed)
    assert [alarm.falls_short for alarm in alarms(summary)] == [short]
    assert bool(alarm_notes(summary)) is short
    assert binom.cdf(passed, 164, LOWEST - 0.03) < 0.01 if short else binom.cdf(passed, 164, LOWEST - 0.03) >= 0.01


@pytest.mark.parametrize(
    ("quant", "points"), [("q4_k_m", 3), ("q8_0", 3), ("f16", 3), ("q3_k_s", 8), ("iq3_m", 8), ("q2_k", 15), ("", 15)]
)
def test_the_allowance_is_a_policy(quant: str, points: float) -> None:
    """3 points from Q4 up, 8 for Q3, 15 below or unknown."""
    assert allowance(quant) == pytest.approx(points / 100)


def test_only_what_can_be_compared_is_tested(tmp_path: Path) -> None:
    """Not a part of a suite, not a sampled run, not our own 60 problems, not a model without an EvalPlus row."""
    assert alarms(run(tmp_path / "1", 5, count=60)) == []
    sampled = {"sampling": {"temperature": 0.8}}
    assert alarms(run(tmp_path / "2", 5, settings=sampled)) == []
    assert alarms(run(tmp_path / "3", 5, suite="lowcost60", count=60)) == []
    assert alarms(run(tmp_path / "4", 5, name="qwen3.5-4b@q4_k_m")) == []
    assert alarms(run(tmp_path / "5", 5)) != []


def test_a_base_model_is_measured_by_rows_of_its_own_way_of_prompting(tmp_path: Path) -> None:
    """Direct completion against direct completion; asked as a chat it has no row to be held against."""
    base = "starcoder2-3b@q4_k_m"
    (found,) = alarms(run(tmp_path / "1", 40, name=base, each_is_completion=True))
    assert "direct completion" in found.setting or "base" in found.setting
    assert alarms(run(tmp_path / "2", 40, name=base)) == []


def test_no_cause_is_invented(tmp_path: Path) -> None:
    """A clean run that falls short says that it shows none of the usual causes."""
    lines = alarm_notes(run(tmp_path, 20, each_outcome="wrong"))
    assert len(lines) == 2
    assert "shows none" in lines[1]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"template_source": "format chatml"}, "template: not the file's own (format chatml)"),
        ({"each_finish_reason": "length"}, "truncation: 164 of 164 answers were cut at --max-tokens"),
        ({"each_finish_reason": "prompt_too_long"}, "truncation: 164 prompts did not fit"),
        ({"each_finish_reason": "loop"}, "stop rule: 164 of 164 answers were ended as loops"),
        ({"each_outcome": "syntax"}, "stop rule: 164 answers that were stopped early do not run"),
        ({"each_reasoning_tokens": 50}, "thinking: 164 of 164 answers reason"),
        ({"each_format_ok": False}, "format: 164 of 164 answers are not one closed code block"),
    ],
)
def test_the_causes_that_the_run_shows_are_named(tmp_path: Path, change: dict[str, Any], cause: str) -> None:
    """Each with its count and what to try."""
    fields = {"each_outcome": "wrong", **change}
    lines = alarm_notes(run(tmp_path, 20, **fields))
    assert any(line.startswith(f"usual cause, seen in this run: {cause}") for line in lines), lines
    assert sum("usual cause" in line for line in lines) == 1
    assert any("try" in line for line in lines)


def test_summary_page_and_json_say_it(tmp_path: Path) -> None:
    """The policy is printed where the alarm is."""
    summary = run(tmp_path, 20)
    (first, *_) = [note for note in notes([summary]) if "falls short" in note]
    assert "20 of 164" in first
    assert "policy: 3 points from Q4 up" in first
    assert "falls short" in write_page([summary], tmp_path / "page.html").read_text()
    told = json.loads(json.dumps(run_record(summary)))["against_published"]
    assert [entry["falls_short"] for entry in told] == [True]
