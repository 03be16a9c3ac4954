"""report, show and runs as a user types them."""

from __future__ import annotations

import base64
import json
import random
import zlib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cpu_codegen.cli import app
from cpu_codegen.cli.render import render_run
from cpu_codegen.errors import UsageError
from cpu_codegen.measure.tables import efficiency_tables
from cpu_codegen.report.formats import Format
from cpu_codegen.report.page import document
from cpu_codegen.report.page.document import HERE, MAX_BYTES, VENDOR, page_html
from cpu_codegen.report.summary import summarize
from tests.report.support import fidelity, write_run


def typed(*arguments: str) -> Result:
    """The finished command; errors of ours pass through."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run under ./runs."""
    monkeypatch.chdir(tmp_path)
    return write_run(tmp_path / "runs" / "20261124T0915-small", limit=9)


def test_a_run_ends_with_its_table_and_its_page(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """render_run prints the summary, writes report.html, and gives the harness errors back."""
    assert render_run(run, Format.TABLE) == 0
    told = capsys.readouterr().out
    assert "pass@1" in told
    assert "cot − plain" in told
    assert f"page     {run / 'report.html'}" in told
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_harness_errors_are_counted_for_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The number that run turns into exit 5, and a note that they count for nothing."""

    def broken(records: dict[str, Any]) -> None:
        records["result"]["outcome"] = "harness_error"
        records["efficiency"] = None

    assert render_run(write_run(tmp_path / "run", limit=3, change=broken), Format.TABLE) == 6
    assert "count for nothing" in capsys.readouterr().out


def test_latest_and_a_group_are_found(run: Path) -> None:
    """`latest` names the newest; a group stands for its runs."""
    assert json.loads(typed("report", "latest", "-o", "json").stdout)["run"].endswith("small")
    group = run.parent / "20261124T1000-group"
    write_run(group / "a", limit=3)
    write_run(group / "b", limit=3, name="b@q8_0")
    (group / "group.json").write_text('{"models": []}')
    assert len(json.loads(typed("report", str(group), "-o", "json").stdout)["runs"]) == 2
    assert "group of 2: small@q4_k_m, b@q8_0" in typed("runs", "list").stdout


def test_several_runs_need_a_file_for_their_page(run: Path, tmp_path: Path) -> None:
    """One page of two runs goes where it is told, and its path is printed."""
    other = write_run(tmp_path / "runs" / "other", limit=3, name="other@q8_0")
    with pytest.raises(UsageError, match="several runs"):
        typed("report", str(run), str(other), "-o", "html")
    result = typed("report", str(run), str(other), "-o", "html", "--out", "both.html")
    assert result.stdout.strip() == "both.html"
    assert "other@q8_0" in Path("both.html").read_text(encoding="utf-8")


def test_figures_are_written_as_svg_and_png(run: Path, tmp_path: Path) -> None:
    """Three pictures, each in both formats, the same bytes of SVG for the same run."""
    pytest.importorskip("matplotlib")
    for name in ("one", "two"):
        assert typed("report", str(run), "--figures", str(tmp_path / name)).exit_code == 0
    found = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert found == [f"{name}.{kind}" for name in ("levels", "outcomes", "pareto") for kind in ("png", "svg")]
    for path in (tmp_path / "one").glob("*.svg"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_show_filters_and_prints_the_failing_input(run: Path) -> None:
    """--failed --style --id; as JSON lines on request; nothing fitting is a clear error."""
    told = typed("show", str(run), "--failed", "--outcome", "wrong").stdout
    assert "input     [3, 1]" in told
    assert "def " in told
    lines = typed("show", str(run), "--style", "cot", "-o", "jsonl").stdout.splitlines()
    assert len(lines) == 9
    one = json.loads(lines[0])
    told = typed("show", str(run), "--id", one["problem_id"], "-o", "jsonl").stdout.splitlines()
    assert {json.loads(line)["problem_id"] for line in told} == {one["problem_id"]}
    with pytest.raises(UsageError, match="none of 18 samples fits"):
        typed("show", str(run), "--outcome", "memory")


def test_pass_at_k_as_asked(tmp_path: Path) -> None:
    """--k 2,3 prints these two for three samples a problem; 4 is not defined and says so; nonsense is refused."""
    path = write_run(tmp_path / "run", limit=5, n=3, styles=("plain",))
    told = json.loads(typed("report", str(path), "--k", "3,2,4", "-o", "json").stdout)["pass_at_k"]
    assert [(one["suite"], one["style"]) for one in told] == [("lowcost60", "plain")]
    assert told[0]["pass@2"]["value"] <= told[0]["pass@3"]["value"]
    assert told[0]["pass@4"] is None
    assert "pass@3" in typed("report", str(path), "--k", "3").stdout
    assert "eff@2" in {name for table in efficiency_tables(summarize(path).samples, (1, 2)) for name in table.columns}
    for command in ("report", "efficiency"):
        for wrong in ("0", "two", ""):
            with pytest.raises(UsageError, match="--k"):
                typed(command, str(path), "--k", wrong)


@pytest.mark.parametrize("output", ["md", "csv", "latex", "html"])
def test_show_lists_samples_as_a_table(run: Path, output: str) -> None:
    """One row per sample: problem, style, outcome, tests, tokens, ratio."""
    told = typed("show", str(run), "--style", "plain", "-o", output).stdout
    assert told.count("plain") == 9
    assert "passed" in told


def test_show_json_is_one_list(run: Path) -> None:
    """-o json is a JSON value, -o jsonl a line per sample; both hold the whole record."""
    listed = json.loads(typed("show", str(run), "-o", "json").stdout)
    lines = typed("show", str(run), "-o", "jsonl").stdout.splitlines()
    assert listed == [json.loads(line) for line in lines]
    assert len(listed) == 18
    assert {"prompt", "text", "code", "outcome", "run"} <= listed[0].keys()


def test_show_counts_places_and_shows_raw_answers(run: Path) -> None:
    """Each sample says which of how many it is; --raw adds the answer as the model gave it."""
    told = typed("show", str(run), "--style", "cot", "--raw").stdout
    assert "── 1/9  lowcost60/" in told
    assert "── 9/9  " in told
    assert "1. Read the task." in told
    assert "1. Read the task." not in typed("show", str(run), "--style", "cot").stdout


def test_show_findings(tmp_path: Path) -> None:
    """--finding keeps the passed programs that have it; a word that is none is refused with the words that are."""

    def risky(records: dict[str, Any]) -> None:
        if records["efficiency"]:
            records["efficiency"]["unreached"] = {
                "lines": [3] if records["generation"]["style"] == "cot" else [],
                "tests": 4,
            }

    path = write_run(tmp_path / "run", limit=4, share=1.0, change=risky)
    told = typed("show", str(path), "--finding", "unreached_lines", "-o", "csv").stdout
    assert told.count(",cot,") == 4
    assert ",plain," not in told
    assert "no test reaches line 3" in typed("show", str(path), "--finding", "unreached_lines").stdout
    for option in ("--finding", "--outcome"):
        with pytest.raises(UsageError, match="is not known"):
            typed("show", str(path), option, "beauty")


def test_a_run_is_removed_only_when_asked_twice(run: Path) -> None:
    """Without a terminal --yes is needed."""
    with pytest.raises(UsageError, match="for ever"):
        typed("runs", "rm", str(run))
    assert run.is_dir()
    assert typed("runs", "rm", str(run), "--yes").exit_code == 0
    assert not run.exists()


def test_the_page_of_eight_models_stays_under_three_megabytes(tmp_path: Path) -> None:
    """60 problems × 8 quantizations of one model × 2 styles with a ladder, answers of 2 kB: none is cut."""
    rng = random.Random(8)

    def wordy(records: dict[str, Any]) -> None:
        words = " ".join(f"{rng.choice('abcdefgh')}{rng.randint(0, 9999)}" for _ in range(300))
        records["generation"]["text"] = f"{words}\n{records['generation']['text']}"

    names = {f"q{n}_{kind}": f"small@q{n}_{kind}" for n in (2, 3, 4, 5) for kind in ("k_m", "k_s")}
    runs = [
        write_run(tmp_path / quant, name=name, seed=i, change=wordy) for i, (quant, name) in enumerate(names.items())
    ]
    (tmp_path / "fidelity.jsonl").write_text(fidelity(names, base="q5_k_m", problems=60), encoding="ascii")
    html = page_html([summarize(path) for path in runs])
    assert len(html.encode()) < MAX_BYTES
    packed = html.partition('id="data">')[2].partition("<")[0]
    data = json.loads(zlib.decompress(base64.b64decode(packed), -15))
    assert len(data["samples"]) == 60 * 8 * 2
    assert data["fidelity"]
    assert not any("cut here" in text for text in data["strings"])


def test_many_answers_are_cut_until_the_page_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers go first, down to nothing but a note; statements and references stay whole; no more is cut than needed."""
    rng = random.Random(3)

    def wordy(records: dict[str, Any]) -> None:
        noise = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=3000))
        records["generation"]["text"] = noise
        records["result"] |= {"code": noise, "outcome": "wrong", "failure": {"input": noise[:2000], "got": "1"}}

    summaries = [summarize(write_run(tmp_path / "run", limit=12, change=wordy))]

    def made(room: int) -> tuple[int, int]:
        """Bytes of the page that may have so many, and characters of its longest answer."""
        monkeypatch.setattr(document, "MAX_BYTES", room)
        html = page_html(summaries)
        data = json.loads(zlib.decompress(base64.b64decode(html.partition('id="data">')[2].partition("<")[0]), -15))
        assert len(data["samples"]) == 24
        assert not [text for text in data["strings"] if text.startswith("def ") and "cut here" in text]
        return len(html.encode()), max(len(data["strings"][s["text"]]) for s in data["samples"])

    (most, whole), (least, note) = made(10**9), made(0)
    assert (whole, note < 100, least < most) == (3000, True, True)
    room = (most + least) // 2
    size, longest = made(room)
    assert least < size <= room
    assert note < longest < whole


def test_the_vendored_library_is_the_published_one() -> None:
    """Under 300 kB, every file with the digest that its README gives, none that evaluates text."""
    import hashlib

    notes = (HERE / "vendor" / "README.md").read_text(encoding="utf-8")
    total = 0
    for name in VENDOR:
        data = (HERE / "vendor" / f"{name}.min.js").read_bytes()
        total += len(data)
        assert hashlib.sha256(data).hexdigest() in notes
        assert b"eval(" not in data
        assert b"Function(" not in data
    assert total < 300_000


def test_our_own_scripts_make_no_markup_from_text() -> None:
    """No innerHTML, no eval, no inline style, no address of another host."""
    scripts = sorted(HERE.glob("*.js"))
    assert scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert sink not in text, f"{path.name}: {sink}"
        assert "https://" not in text


def test_scores_from_elsewhere_stand_apart_with_their_source(run: Path, tmp_path: Path) -> None:
    """A table of their own in text, JSON and page, marked "not run here"; a row without source is refused with its line."""
    path = tmp_path / "others.csv"
    path.write_text("model,suite,setting,pass@1,source\nChat <b>X</b>,humaneval,0-shot,0.9,its paper\n")
    assert "not run here" in typed("report", str(run), "--reference", str(path)).stdout
    told = json.loads(typed("report", str(run), "--reference", str(path), "-o", "json").stdout)
    assert told["measured_elsewhere"][0]["score"] == 0.9
    page = Path(typed("report", str(run), "--reference", str(path), "-o", "html").stdout.strip())
    assert "Chat &lt;b&gt;X" in page.read_text(encoding="utf-8")
    path.write_text("model,suite,setting,pass@1,source\nX,humaneval,0-shot,0.9,\n")
    with pytest.raises(UsageError, match=r"others\.csv:2: no source"):
        typed("report", str(run), "--reference", str(path))
