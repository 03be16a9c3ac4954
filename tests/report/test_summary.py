"""The numbers of a run folder: every count is of the right samples, every gap says why."""

from __future__ import annotations

import hashlib
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.packaged import demo_model
from cpu_codegen.report import figures
from cpu_codegen.report.advice import advise
from cpu_codegen.report.formats import Format
from cpu_codegen.report.kinds import commonest_kinds, kind_records, kinds_table
from cpu_codegen.report.lengths import length_records, thirds
from cpu_codegen.report.references import references
from cpu_codegen.report.summary import RunSummary, efficiency_of, summarize
from cpu_codegen.report.write import write_summaries
from cpu_codegen.stats import wilson
from tests.report.support import Change, write_run


def summary_of(tmp_path: Path, **options: Any) -> RunSummary:
    """The summary of a synthetic run."""
    return summarize(write_run(tmp_path / "run", **options))


def outcome(name: str, when: str = "") -> Change:
    """Gives every sample (of one style) this outcome."""

    def change(records: dict[str, Any]) -> None:
        if not when or records["result"]["style"] == when:
            records["result"]["outcome"] = name
            records["efficiency"] = None

    return change


def test_pass_at_1_is_the_share_passed_with_wilsons_interval(tmp_path: Path) -> None:
    """One sample per problem: passed of n, and the contract's interval."""
    for cell in summary_of(tmp_path).cells:
        assert cell.pass1 is not None
        assert cell.pass1.value == cell.passed / cell.n
        expected = wilson(cell.passed, cell.n)
        assert (cell.pass1.low, cell.pass1.high) == (expected.low, expected.high)


def test_levels_add_up_to_all_of_them(tmp_path: Path) -> None:
    """easy + medium + hard = all, in n, passed and outcomes."""
    summary = summary_of(tmp_path)
    for style in ("plain", "cot"):
        whole, *parts = [cell for cell in summary.cells if cell.style == style]
        assert whole.level == "all"
        assert [part.level for part in parts] == ["easy", "medium", "hard"]
        assert whole.n == sum(part.n for part in parts) == 60
        assert whole.passed == sum(part.passed for part in parts) == whole.outcomes["passed"]


def test_harness_errors_count_against_nobody(tmp_path: Path) -> None:
    """They leave n, stay in the outcomes and are reported as faults."""
    summary = summary_of(tmp_path, change=outcome("harness_error", "cot"))
    cot = next(cell for cell in summary.overall() if cell.style == "cot")
    assert (cot.n, cot.pass1, cot.outcomes) == (0, None, {"harness_error": 60})
    assert summary.faults == 60
    assert summary.pairs == []


def test_samples_without_a_verdict_are_told_apart(tmp_path: Path) -> None:
    """An interrupted run has answers that nobody judged: they stay in n, and no share is made of them alone."""

    def forget(records: dict[str, Any]) -> None:
        if records["generation"]["style"] == "plain":
            records["result"] = records["efficiency"] = None

    plain = next(c for c in summary_of(tmp_path, change=forget).overall() if c.style == "plain")
    assert (plain.n, plain.undecided, plain.unknown, plain.pass1) == (60, 60, 60, None)
    assert plain.cost.correct_per_hour is None
    assert plain.cost.seconds_per_problem is not None
    assert plain.efficiency.why == "not measured: nothing is judged yet"


def test_several_samples_give_pass_at_k_over_problems(tmp_path: Path) -> None:
    """n = 10: pass@1 and pass@10 by Chen's estimator, the mean over 6 problems, pass@100 not claimed."""
    summary = summary_of(tmp_path, n=10, limit=6, styles=("plain",), share=0.4)
    cell = summary.overall()[0]
    assert set(cell.pass_at) == {1, 10}
    assert cell.n == 60
    assert cell.problems == 6
    assert math.isclose(cell.pass_at[1].value, cell.passed / 60)
    assert cell.pass_at[10].value >= cell.pass_at[1].value


def test_costs_add_up_to_the_busy_engine_and_one_load(tmp_path: Path) -> None:
    """Σ cost_s of both styles + one load = seconds per problem × problems, whatever the styles."""
    summary = summary_of(tmp_path)
    busy_s = math.fsum(sample["cost_s"] for sample in summary.samples)
    told = math.fsum((cell.cost.seconds_per_problem or 0) * 60 for cell in summary.overall())
    assert math.isclose(told, busy_s + 2.0)
    for cell in summary.overall():
        assert cell.cost.seconds_per_problem is not None
        assert cell.cost.correct_per_hour is not None
        assert math.isclose(cell.cost.correct_per_hour, cell.passed * 3600 / (60 * cell.cost.seconds_per_problem))


def test_time_to_first_token_stands_only_at_width_1(tmp_path: Path) -> None:
    """A batch says "batched: see bench"; one stream says seconds."""
    cell = summary_of(tmp_path).overall()[0]
    assert (cell.cost.ttft_s, cell.cost.ttft_why) == (None, "batched: see bench")

    def alone(records: dict[str, Any]) -> None:
        records["generation"]["width"] = 1

    single = summarize(write_run(tmp_path / "single", change=alone)).overall()[0]
    assert single.cost.ttft_s == 0.5


def test_energy_says_why_it_is_absent_and_counts_when_it_is_there(tmp_path: Path) -> None:
    """Correct programs per Wh needs a reading of every answer."""
    cell = summary_of(tmp_path).overall()[0]
    assert cell.cost.correct_per_wh is None
    assert "RAPL" in cell.cost.energy_why

    def metered(records: dict[str, Any]) -> None:
        records["generation"]["energy_j"] = 36.0

    cell = summarize(write_run(tmp_path / "metered", change=metered)).overall()[0]
    assert cell.cost.correct_per_wh is not None
    assert math.isclose(cell.cost.correct_per_wh, cell.passed / (60 * 36 / 3600))

    def partly(records: dict[str, Any]) -> None:
        if records["generation"]["level"] == "easy":
            metered(records)

    cell = summarize(write_run(tmp_path / "partly", change=partly)).overall()[0]
    assert cell.cost.correct_per_wh is None
    assert cell.cost.energy_why == "not measured: 20 of 60 answers have an energy reading"


def test_efficiency_is_a_geometric_mean_with_what_it_leaves_out(tmp_path: Path) -> None:
    """Half as slow and twice as slow cancel out; what lies under the floor is counted, never averaged in."""

    def ratio(value: float, name: str) -> dict[str, Any]:
        measured = {"value": value, "low": value, "high": value, "n": 9}
        return {"problem_id": name, "efficiency": {"problem_id": name, "status": "measured", "cpu_ratio": measured}}

    floor = {"problem_id": "c", "efficiency": {"status": "below_floor", "cpu_ratio": None}}
    found = efficiency_of([ratio(2.0, "a"), ratio(0.5, "b"), floor], judged=3)
    assert found.ratio is not None
    assert math.isclose(found.ratio.value, 1.0)
    assert found.verdict == "no difference"
    assert found.skipped == {"below_floor": 1}
    assert "below floor" in found.why
    assert efficiency_of([], judged=3).why == "not measured: no answer passed"


def test_a_program_that_ran_into_the_limit_is_a_lower_bound_and_not_left_out() -> None:
    """Else the slowest code would be the code that does not count."""
    slow = {"problem_id": "a", "status": "censored", "cpu_ratio": {"value": 16.0, "low": 16.0, "high": None, "n": 1}}
    even = {"problem_id": "b", "status": "measured", "cpu_ratio": {"value": 1.0, "low": 0.9, "high": 1.1, "n": 9}}
    found = efficiency_of([{"problem_id": "a", "efficiency": slow}, {"problem_id": "b", "efficiency": even}], judged=2)
    assert found.ratio is not None
    assert math.isclose(found.ratio.value, 4.0)
    assert found.censored == 1
    assert figures.efficiency(found).startswith("≥ 4.00×")
    assert "time limit" in found.why


def test_a_ratio_taken_in_company_counts_and_is_told() -> None:
    """As in `efficiency RUN` and `compare`: one rule, one figure."""
    noisy = {"problem_id": "a", "status": "disturbed", "cpu_ratio": {"value": 4.0, "low": 2.0, "high": 8.0, "n": 9}}
    even = {"problem_id": "b", "status": "measured", "cpu_ratio": {"value": 1.0, "low": 0.9, "high": 1.1, "n": 9}}
    found = efficiency_of([{"problem_id": "a", "efficiency": noisy}, {"problem_id": "b", "efficiency": even}], judged=2)
    assert found.ratio is not None
    assert math.isclose(found.ratio.value, 2.0)
    assert (found.skipped, found.why) == ({}, "1 of them had company on their core")


def test_styles_are_paired_on_the_same_problems(tmp_path: Path) -> None:
    """A style that never passes is worse; equal ones have no difference, with Tango's interval around 0."""
    pair = summary_of(tmp_path, change=outcome("wrong", "cot")).pairs[0]
    assert (pair.style, pair.baseline, pair.n, pair.b) == ("cot", "plain", 60, 0)
    assert pair.verdict == "worse"
    same = summarize(write_run(tmp_path / "same", change=outcome("passed"))).pairs[0]
    assert (same.difference.value, same.p, same.verdict) == (0.0, 1.0, "no difference")
    assert same.difference.low < 0 < same.difference.high


def test_the_json_holds_what_the_contract_names(tmp_path: Path) -> None:
    """Run folder, settings, and per style and level n, passed, pass@1 with its interval, outcomes."""
    stream = io.StringIO()
    write_summaries([summary_of(tmp_path)], Format.JSON, stream)
    told = json.loads(stream.getvalue())
    assert Path(told["run"]).name == "run"
    assert told["settings"]["max_tokens"] == 1024
    assert {(g["style"], g["level"]) for g in told["groups"]} >= {("plain", "all"), ("cot", "hard")}
    for group in told["groups"]:
        assert set(group["pass@1"]) == {"value", "low", "high", "n"}
        assert sum(group["outcomes"].values()) == group["n"]


@pytest.mark.parametrize("output", [Format.TABLE, Format.MD, Format.LATEX, Format.CSV, Format.JSONL])
def test_every_format_carries_both_styles_and_no_control_character(tmp_path: Path, output: Format) -> None:
    """A hostile model name acts in no format."""

    def hostile(manifest: dict[str, Any]) -> None:
        manifest["model"]["name"] = "\x1b[31m=cmd|<b>\\input{x}"

    stream = io.StringIO()
    one = summary_of(tmp_path, change_manifest=hostile)
    two = summarize(write_run(tmp_path / "=1+1|x", limit=3))
    write_summaries([one, two], output, stream)
    text = stream.getvalue()
    assert "plain" in text
    assert "cot" in text
    assert "\x1b" not in text
    if output is Format.CSV:
        assert "\n=" not in text


def test_the_demo_model_is_never_advised(tmp_path: Path) -> None:
    """A fixture that has seen the problems gets no recommendation, and the notes say so."""
    advice = advise([summary_of(tmp_path, name="demo")])
    assert advice.row is None
    assert "seen the problems" in advice.sentence


def test_a_copy_of_the_demo_model_is_the_demo_model(tmp_path: Path) -> None:
    """Its digest tells, whatever the file is called."""

    def copied(manifest: dict[str, Any]) -> None:
        manifest["model"] |= {"name": "./copy.gguf", "sha256": hashlib.sha256(demo_model().read_bytes()).hexdigest()}

    run = summarize(write_run(tmp_path / "run", name="copy", limit=3, change_manifest=copied))
    assert advise([run]).row is None


def test_failures_by_kind_and_length_add_up(tmp_path: Path) -> None:
    """Every failed answer has one kind, also those past the columns; every counted one has one length."""

    def strange(records: dict[str, Any]) -> None:
        if records["result"]["outcome"] != "passed":
            number = int(records["result"]["key"], 16) % 12
            said = "module 'math' has no attribute 'sum'" if number < 6 else "'list' object has no attribute 'size'"
            detail = "AttributeError" if number % 3 else f"import:package{number}"
            records["result"] |= {"outcome": "error", "detail": detail, "message": f"AttributeError: {said}"}

    summary = summarize(write_run(tmp_path / "run", share=0.4, styles=("plain",), change=strange))
    cell = summary.overall()[0]
    table = kinds_table([summary], most=2)
    assert table.columns == ("style", *commonest_kinds([summary])[:2], "other kinds")
    assert sum(map(int, map(str, table.rows[0][1:]))) == cell.n - cell.passed
    kinds = {record["kind"] for record in kind_records(summary)}
    assert {"AttributeError on the standard library", "AttributeError on a built-in type"} < kinds
    known = references([summary])
    found = length_records(summary.samples, known, thirds(known))
    assert [sum(part[name] for part in found) for name in ("passed", "n")] == [cell.passed, cell.n]
    assert all(part["n"] for part in found)


def test_the_advice_is_the_fastest_that_is_not_shown_to_be_worse(tmp_path: Path) -> None:
    """A slow model a little better is not advised over a fast one; a much better one is; one under 5 tokens/s never first."""
    fast = summarize(write_run(tmp_path / "fast", name="fast", share=0.7, styles=("plain",)))
    little = summarize(write_run(tmp_path / "little", name="little", share=0.72, styles=("plain",), slowness=3, seed=4))
    much = summarize(write_run(tmp_path / "much", name="much", share=1.0, styles=("plain",), slowness=3))
    crawl = summarize(write_run(tmp_path / "crawl", name="crawl", share=1.0, styles=("plain",), slowness=20))
    assert advise([fast, little]).sentence == "On this machine: fast (plain)."
    assert advise([fast, much]).sentence == "On this machine: much (plain)."
    assert advise([fast, crawl]).sentence == "On this machine: fast (plain)."
    assert "crawl" in advise([fast, crawl]).because


def test_no_model_is_named_where_seconds_say_nothing(tmp_path: Path) -> None:
    """All too slow, from two machines, or never timed: the sentence says which, the reason still names who solves most."""

    def elsewhere(manifest: dict[str, Any]) -> None:
        manifest["machine"]["id"] = "m2"

    def untimed(records: dict[str, Any]) -> None:
        del records["generation"]["cost_s"], records["generation"]["start_offset_s"]

    few = {"limit": 12, "styles": ("plain",)}
    crawl = summarize(write_run(tmp_path / "crawl", name="crawl", slowness=20, **few))
    here = summarize(write_run(tmp_path / "here", name="here", share=0.3, **few))
    there = summarize(write_run(tmp_path / "there", name="there", share=0.9, change_manifest=elsewhere, **few))
    bare = summarize(write_run(tmp_path / "bare", name="bare", change=untimed, **few))
    for runs, said in (
        ([crawl], "None of these: no row reaches 5 tokens/s on this machine."),
        ([here, there], "No advice: these runs come from 2 machines"),
        ([bare], "No advice: what these answers cost was not measured here."),
    ):
        advice = advise(runs)
        assert advice.sentence.startswith(said)
        assert advice.because.startswith(f"{runs[-1].model} (plain) solves most: ")
        assert (advice.row, advice.rule) == (None, "")
