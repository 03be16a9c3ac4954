"""A group with a race in every output: best first, the stopped apart, comparisons on common blocks."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cpu_codegen.cli import app
from cpu_codegen.compare_runs import compare_runs, read_run
from cpu_codegen.errors import UsageError
from cpu_codegen.race import Race
from cpu_codegen.report.advice import advise
from cpu_codegen.report.folders import find_runs
from cpu_codegen.report.formats import Format
from cpu_codegen.report.groups import common_blocks, group_notes, stop_of
from cpu_codegen.report.overview import ranked
from cpu_codegen.report.page.document import page_html
from cpu_codegen.report.summary import summarize
from cpu_codegen.report.write import write_summaries
from cpu_codegen.stats import anytime_mean, wilson
from cpu_codegen.store import RunFolder
from tests.report.support import write_run

ROUNDS = (6, 12, 24)


def typed(*arguments: str) -> Result:
    """The finished command; errors of ours pass through."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Three models raced: `bad` is stopped at the second look, after 12 problems; `good` is better than `fair`."""
    path = tmp_path / "night"
    for name, share, limit in (("fair", 0.5, 24), ("good", 1.0, 24), ("bad", 0.0, 12)):
        write_run(
            path / name, name=f"{name}.gguf", share=share, limit=limit, styles=("plain",), change_manifest=partial
        )
    names = [str(s["problem_id"]) for s in summarize(path / "fair").samples]
    race = Race(["fair", "good", "bad"])
    for look, n in enumerate(ROUNDS, start=1):
        scores = {model: {"lowcost60": {p: float(model == "good") for p in names[:n]}} for model in race.running}
        race.observe(scores, {m: {"lowcost60": s} for m, s in {"good": 2.0, "fair": 1.0, "bad": 2.0}.items()}, look)
    (path / "group.json").write_text(json.dumps(record(race, names)))
    return path


def partial(manifest: dict[str, Any]) -> None:
    """Ended by a deadline, of 60 problems."""
    manifest["status"] = "partial"
    manifest["suites"]["lowcost60"]["order"] += [
        f"lowcost60/{number}" for number in range(60 - len(manifest["scope"]["problems"]))
    ]
    manifest["scope"]["problems"] = list(manifest["suites"]["lowcost60"]["order"])


def record(race: Race, names: list[str]) -> dict[str, Any]:
    """What group.py writes, as far as a report reads it."""
    left = {6: ["fair", "good", "bad"], 12: ["fair", "good", "bad"], 24: ["fair", "good"]}
    return {
        "status": "partial",
        "models": [
            {"name": f"{m}.gguf", "folder": m, "status": "partial", "error": ""} for m in ("fair", "good", "bad")
        ],
        "order_seed": 0,
        "rounds": [{"n": n, "problems": [f"lowcost60 {p}" for p in names[:n]], "models": left[n]} for n in ROUNDS],
        "race": race.to_record(),
        "sessions": [
            {"started_utc": "2026-11-24T22:00:00+00:00", "options": {"max_hours": 0.5, "until": None, "race": True}}
        ],
    }


def told(group: Path, output: Format, *, full: bool = True) -> str:
    """A report over the group."""
    stream = io.StringIO()
    write_summaries([summarize(path) for path in find_runs([str(group)])], output, stream, full=full)
    return stream.getvalue()


def test_the_race_is_as_it_was_meant(group: Path) -> None:
    """What the other tests stand on: `bad` alone was stopped, at look 1 or 2, by `good`."""
    stop = stop_of(group / "bad")
    assert stop is not None
    assert (stop.rival, stop.look, stop.problems) == ("good", 2, 12)
    assert stop_of(group / "good") is None
    assert stop_of(group / "fair") is None


def test_a_stopped_run_has_an_interval_that_holds_at_any_look(group: Path) -> None:
    """The betting interval over its own problems, wider than Wilson's."""
    cell = summarize(group / "bad").overall()[0]
    assert cell.pass1 is not None
    assert cell.pass1.interval == anytime_mean([0.0] * 12).interval
    assert cell.pass1.high > wilson(0, 12).high


def test_the_best_stands_first_and_the_stopped_apart(group: Path) -> None:
    """Rows by pass@1; `bad` only in its own table, with n, look and rival."""
    summaries = [summarize(path) for path in find_runs([str(group)])]
    assert [summary.name for summary, _ in ranked(summaries)] == ["good", "fair"]
    text = told(group, Format.TABLE)
    first, second, *_ = text.split("\n\n")
    assert "bad" not in first
    assert "24 of 60" in first
    assert second.startswith("stopped by the race")
    row = second.split("\n")[2].split()
    assert row[:4] == ["bad", "lowcost60", "plain", "12"]
    assert "good" in row


@pytest.mark.parametrize("output", [Format.MD, Format.LATEX, Format.TABLE])
def test_every_table_format_has_the_stopped(group: Path, output: Format) -> None:
    """Look, limit and the anytime label travel into papers too."""
    text = told(group, output, full=False)
    assert "anytime 95" in text
    assert "limit 40" in text


def test_programs_read_it_too(group: Path) -> None:
    """json: the stop of a run and the group's record; csv and jsonl: a column."""
    whole = json.loads(told(group, Format.JSON))
    stopped = {Path(run["run"]).name: run["stopped"] for run in whole["runs"]}
    assert stopped["good"] is None
    assert stopped["bad"]["look"] == 2
    assert whole["group_records"][0]["race"]["stops"][0]["model"] == "bad"
    assert whole["group_records"][0]["options"]["max_hours"] == 0.5
    looks = {line["run"]: line["stopped_at_look"] for line in map(json.loads, told(group, Format.JSONL).splitlines())}
    assert looks == {"good": None, "fair": None, "bad": 2}


def test_notes_name_deadline_rounds_and_race(group: Path) -> None:
    """In words that a reader of the terminal and of the page gets."""
    notes = "\n".join(group_notes(group))
    assert "group of 3 models: partial" in notes
    assert "--max-hours 0.5" in notes
    assert "after 6, 12, 24 problems" in notes
    assert "race: 3 looks, stopped: bad at look 2" in notes
    assert notes in told(group, Format.TABLE).replace("\n\n", "\n")


def test_the_page_shows_the_group(group: Path) -> None:
    """Title, facts, the stopped in a table of their own, nobody advises a stopped model."""
    summaries = [summarize(path) for path in find_runs([str(group)])]
    html = page_html(summaries)
    assert "<title>Which model should I run here? night: fair.gguf, good.gguf, bad.gguf</title>" in html
    results = html.split('<table id="results">')[1].split("</table>")[0]
    assert "bad.gguf" not in results
    assert results.index("good.gguf") < results.index("fair.gguf")
    assert 'aria-label="Stopped by the race"' in html
    assert "the race, look by look" in html
    row = advise(summaries).row
    assert row is not None
    assert row.summary.name in ("good", "fair")


def test_compare_leaves_the_stopped_out_of_the_pairs(group: Path) -> None:
    """A group with one stopped run: one comparison, and the stopped one in a table after it, in JSON as a member."""
    text = typed("compare", str(group)).stdout
    assert "good.gguf against fair.gguf" in text
    assert "against bad" not in text
    assert "bad.gguf against" not in text
    assert "stopped by the race" in text
    whole = json.loads(typed("compare", str(group), "-o", "json").stdout)
    assert len(whole["comparisons"]) == 1
    assert [stop["run"] for stop in whole["stopped"]] == ["bad"]


def test_a_pair_with_a_stopped_run_is_refused(group: Path) -> None:
    """Named on purpose it still has no honest pairing: exit 2 with what to type instead."""
    with pytest.raises(UsageError, match="a race stopped bad at look 2") as refused:
        typed("compare", str(group / "good"), str(group / "bad"))
    assert "cpu-codegen report" in (refused.value.remedy or "")


def test_only_blocks_that_both_finished_are_compared(group: Path) -> None:
    """A round that one of them never closed does not count, although some of its answers are there."""
    text = json.loads((group / "group.json").read_text())
    text["rounds"][-1]["models"] = ["good"]
    (group / "group.json").write_text(json.dumps(text))
    blocks = common_blocks(group / "good", group / "fair")
    assert blocks is not None
    assert len(blocks) == 12
    (found,) = compare_runs([read_run(group / "fair"), read_run(group / "good")])
    assert found.pairing.problems == 12


def test_whole_runs_are_compared_on_everything(group: Path) -> None:
    """Rounds of an earlier night bind nobody once both runs are finished."""
    for name in ("good", "fair"):
        manifest = RunFolder(group / name).manifest()
        RunFolder(group / name).write_manifest({**manifest, "status": "finished"})
    text = json.loads((group / "group.json").read_text())
    text["rounds"] = text["rounds"][:2]
    (group / "group.json").write_text(json.dumps(text))
    assert common_blocks(group / "good", group / "fair") is None
    (found,) = compare_runs([read_run(group / "fair"), read_run(group / "good")])
    assert found.pairing.problems == 24


def test_runs_of_no_group_and_damaged_records_are_reported_as_they_are(tmp_path: Path, group: Path) -> None:
    """No rounds bind them, nobody was stopped; a record that is no JSON says nothing."""
    alone = write_run(tmp_path / "alone", limit=3)
    assert stop_of(alone) is None
    assert common_blocks(alone, group / "good") is None
    (group / "group.json").write_text("{ torn")
    assert stop_of(group / "bad") is None
    assert summarize(group / "bad").stop is None
