"""What reports say of reasoning: tokens, seconds, how it ended, what was cut off, and what thinking buys."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.compare_bought import bought
from cpu_codegen.compare_runs import compare_runs, read_run
from cpu_codegen.compare_tables import records, tables
from cpu_codegen.errors import UsageError
from cpu_codegen.report.formats import Format
from cpu_codegen.report.overview import notes, reasoning
from cpu_codegen.report.page import write_page
from cpu_codegen.report.reasoning import SELECTED
from cpu_codegen.report.summary import RunSummary, summarize
from cpu_codegen.report.write import write_summaries
from tests.report.support import write_run

N = 20


def reasoned(records: dict[str, Any]) -> None:
    """Every answer reasons 100 of its tokens for a quarter of its cost; by its number some are cut off, and those fail."""
    reasoned.count += 1  # type: ignore[attr-defined]
    number = reasoned.count % N  # type: ignore[attr-defined]
    end = "budget" if number < 4 else "loop" if number < 6 else "model"
    generation = records["generation"]
    generation |= {"reasoning_tokens": 100, "reasoning_end": end, "reasoning_s": generation["cost_s"] / 4}
    if number == 7:
        generation["finish_reason"] = "length"
    cut = end != "model" or number == 7
    records["result"]["outcome"] = "wrong" if cut or number == 9 else "passed"


@pytest.fixture
def summary(tmp_path: Path) -> RunSummary:
    """Twenty answers: 7 cut off, 13 of which 12 pass."""
    reasoned.count = -1  # type: ignore[attr-defined]
    return summarize(write_run(tmp_path / "run", styles=("plain",), limit=N, change=reasoned))


def written(summary: RunSummary, output: Format) -> str:
    """A whole report in one format."""
    stream = io.StringIO()
    write_summaries([summary], output, stream)
    return stream.getvalue()


def test_reasoning_is_counted_and_cut_offs_stay_in_pass_at_1(summary: RunSummary) -> None:
    """12 of 20 with all of them; 12 of 13 without, beside it and labelled."""
    (cell,) = summary.overall()
    found = cell.reasoning
    assert (found.reasoned, found.tokens, found.ended, found.cut) == (N, 2000, {"model": 14, "budget": 4, "loop": 2}, 7)
    assert found.share_of_time == pytest.approx(0.25)
    assert cell.pass1 is not None
    assert cell.pass1.value == pytest.approx(12 / 20)
    assert found.uncut is not None
    assert found.uncut.n == 13
    assert found.uncut.value == pytest.approx(12 / 13)
    assert found.share_cut is not None
    assert found.share_cut.value == pytest.approx(7 / 20)


def test_every_format_carries_it_labelled(summary: RunSummary, tmp_path: Path) -> None:
    """Table, md, csv, json and the page; none shows the selected rate without its label."""
    for output in (Format.TABLE, Format.MD):
        text = written(summary, output)
        assert SELECTED in text
        assert "14 / 4 / 2" in text
    (row,) = [r for r in csv.DictReader(io.StringIO(written(summary, Format.CSV))) if r["level"] == "all"]
    assert (row["reasoning_tokens"], row["reasoning_ended_budget"], row["cut_off"]) == ("2000", "4", "7")
    assert row["pass@1_without_cut_off_is"] == SELECTED
    group = next(g for g in json.loads(written(summary, Format.JSON))["groups"] if g["level"] == "all")
    assert group["reasoning"]["share_cut_off"]["value"] == pytest.approx(0.35)
    page = write_page([summary], tmp_path / "page.html").read_text(encoding="utf-8")
    assert SELECTED in page
    (line,) = [note for note in notes([summary]) if note.startswith("reasoning")]
    assert "7 cut off" in line
    assert SELECTED in line


def test_runs_without_reasoning_have_no_such_table(tmp_path: Path) -> None:
    """Old folders, whose lines do not even have the fields, read as before."""
    old = summarize(write_run(tmp_path / "old", styles=("plain",), limit=N))
    assert not reasoning([old]).rows
    assert not [note for note in notes([old]) if "reasoning" in note]


def two_ways(tmp_path: Path, **other: Any) -> tuple[Path, Path]:
    """Off solves fewer and is four times as fast; on has a larger context."""

    def switch(think: str, ctx: int) -> Any:
        def change(manifest: dict[str, Any]) -> None:
            manifest["settings"] |= {"think": think, "ctx_tokens": ctx, **(other if think == "on" else {})}

        return change

    off = write_run(tmp_path / "off", styles=("plain",), share=0.2, change_manifest=switch("off", 4096))
    on = write_run(tmp_path / "on", styles=("plain",), share=0.9, slowness=4, change_manifest=switch("on", 8192))
    return off, on


def test_thinking_is_one_factor_and_says_what_it_buys(tmp_path: Path) -> None:
    """The context that follows from it is no second factor; the line names problems and time."""
    runs = [read_run(path) for path in two_ways(tmp_path)]
    (found,) = compare_runs(runs)
    assert [str(d) for d in found.differing] == ["think: off v on"]
    (table, *_) = tables([found], [], [])
    (line,) = [row[4] for row in table.rows if row[0] == "it buys"]
    assert "an extra hour" in str(line)
    record = records([found], [], [])["comparisons"][0]["bought"]
    assert record["more"] > 0
    assert record["more_per_extra_hour"] == pytest.approx(record["more"] / record["extra_hours"])


def test_a_second_setting_needs_across(tmp_path: Path) -> None:
    """Another seed beside thinking is refused as ever."""
    runs = [read_run(path) for path in two_ways(tmp_path, seed=7)]
    with pytest.raises(UsageError, match="more than one thing"):
        compare_runs(runs)


def test_a_folder_that_names_no_think_stands_for_auto(tmp_path: Path) -> None:
    """Folders from before the option differ from `off` by that one thing."""
    old = write_run(tmp_path / "old", styles=("plain",), limit=N)
    off = write_run(
        tmp_path / "off", styles=("plain",), limit=N, change_manifest=lambda m: m["settings"].update(think="off")
    )
    (found,) = compare_runs([read_run(old), read_run(off)])
    assert [str(d) for d in found.differing] == ["think: auto v off"]


def test_what_is_bought() -> None:
    """Three more of four for two hours more are 1.5 an hour; what takes no longer has no such rate."""
    none, most = dict.fromkeys("abcd", 0.0), {"a": 0.0, "b": 1.0, "c": 1.0, "d": 1.0}
    quick, slow = dict.fromkeys("abcd", 900.0), dict.fromkeys("abcde", 2700.0)
    deal = bought((none, most), (quick, slow))
    assert deal is not None
    assert (deal.problems, deal.more, deal.extra_hours, deal.per_hour) == (4, 3.0, 2.0, 1.5)
    assert "1.5 an extra hour; 1 v 0 solved an hour" in deal.sentence()
    back = bought((most, none), (slow, quick))
    assert back is not None
    assert back.per_hour is None
    worse = bought((most, none), (quick, slow))
    assert worse is not None
    assert "nothing for the extra time" in worse.sentence()
    assert bought(({}, most), (quick, slow)) is None
