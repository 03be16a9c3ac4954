"""What leaves a run, in the shape of each tool; and what must not leave it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.errors import UsageError
from cpu_codegen.exchange.leaderboard import entry
from cpu_codegen.report.summary import summarize
from tests.report.support import write_run


def export(*arguments: str) -> str:
    """stdout of `cpu-codegen export …`."""
    result = CliRunner().invoke(app, ["export", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def records(text: str) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Twelve problems in two styles, on a machine with a name."""

    def owned(manifest: dict[str, Any]) -> None:
        manifest["model"] |= {"name": "/home/alice/models/secret.gguf", "paths": ["/home/alice/models/secret.gguf"]}
        manifest["machine"]["id"] = "machine-id-77"
        manifest["sessions"][0]["argv"] = ["run", "-m", "/home/alice/models/secret.gguf"]
        manifest["config"] = {"out": "/home/alice/out"}
        manifest["suites"]["lowcost60"]["source"] = "/home/alice/tasks"
        manifest["served"] = {"kind": "llama-server", "url": "http://alice.example", "is_local": False}

    return write_run(tmp_path / "run", limit=12, change_manifest=owned)


def test_evalplus_gets_every_task_and_the_code_that_ran(run: Path) -> None:
    """One line per sample with the solution as executed here."""
    lines = records(export(str(run), "--as", "evalplus", "--style", "cot"))
    stored = {s["problem_id"]: s["code"] for s in summarize(run).samples if s["style"] == "cot"}
    assert {line["task_id"]: line["solution"] for line in lines} == stored
    assert len(lines) == 12


def test_styles_are_never_mixed_in_a_file_that_knows_none(run: Path) -> None:
    """The error names the option."""
    with pytest.raises(UsageError) as caught:
        export(str(run), "--as", "evalplus")
    assert caught.value.remedy == "--style plain" or caught.value.remedy == "--style cot"


def test_human_eval_completions_make_the_program(tmp_path: Path) -> None:
    """prompt + completion compiles and defines the function as answered; lowcost60 is refused."""

    def human(records: dict[str, Any]) -> None:
        for name in ("generation", "result"):
            records[name]["suite"] = "humaneval"
        records["result"]["code"] = "from __future__ import annotations\ndef f(x):\n    return x + 1\n"

    folder = write_run(tmp_path / "he", limit=3, styles=("plain",), change=human)
    exported = records(export(str(folder), "--as", "human-eval"))
    assert len(exported) == 3
    for line in exported:
        scope: dict[str, Any] = {}
        exec(compile('def f(x):\n    """Add one."""\n' + line["completion"], "program", "exec"), scope)
        assert scope["f"](1) == 2
    ours = write_run(tmp_path / "ours", limit=3, styles=("plain",))
    with pytest.raises(UsageError, match="knows nothing of lowcost60"):
        export(str(ours), "--as", "human-eval")


def test_lm_eval_gets_one_line_per_problem_with_all_its_samples(tmp_path: Path) -> None:
    """Three samples of one problem stand together, with their share passed."""
    folder = write_run(tmp_path / "n3", limit=4, n=3, styles=("plain",))
    lines = records(export(str(folder), "--as", "lm-eval"))
    assert [line["doc_id"] for line in lines] == [0, 1, 2, 3]
    assert all(len(line["resps"][0]) == len(line["filtered_resps"][0]) == 3 for line in lines)
    told = sum(line["pass@1"] for line in lines) / 4
    cell = summarize(folder).overall()[0]
    assert cell.pass1 is not None
    assert told == pytest.approx(cell.pass1.value)


def test_the_csv_has_one_row_per_sample(run: Path) -> None:
    """Both styles, numbers plain."""
    rows = list(csv.DictReader(io.StringIO(export(str(run), "--as", "csv"))))
    assert len(rows) == 24
    assert {row["style"] for row in rows} == {"plain", "cot"}
    assert float(rows[0]["cost_s"]) > 0


SECRETS = ("alice", "/home", "machine-id-77", "argv")


def test_a_leaderboard_entry_names_nobody(run: Path) -> None:
    """No path, no machine id, no command line; the numbers and hashes are there."""
    text = export(str(run), "--as", "leaderboard")
    assert not [secret for secret in SECRETS if secret in text]
    told = json.loads(text)
    assert told["model"]["name"] == "secret.gguf"
    assert told["machine"]["ram_gib"] == 7
    assert len(told["groups"]) == len(summarize(run).cells)
    assert told == json.loads(json.dumps(entry(summarize(run))))


def test_an_artifact_can_be_checked_and_names_nobody(run: Path, tmp_path: Path) -> None:
    """Raw answers as they are, sums that hold, a citation file that is YAML, no owner in what we wrote ourselves."""
    import hashlib

    folder = tmp_path / "artifact"
    export(str(run), "--as", "artifact", "--out", str(folder))
    assert (folder / "generations.jsonl").read_bytes() == (run / "generations.jsonl").read_bytes()
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert yaml.safe_load((folder / "CITATION.cff").read_text())["cff-version"] == "1.2.0"
    for name in ("manifest.json", "README.md", "LICENSES.md", "CITATION.cff"):
        assert not [secret for secret in SECRETS if secret in (folder / name).read_text()]
    with pytest.raises(UsageError, match="not empty"):
        export(str(run), "--as", "artifact", "--out", str(folder))


def test_where_an_answer_was_taken_over_from_names_nobody(run: Path, tmp_path: Path) -> None:
    """Of the other run's path its folder's name stays; every other line is what it was; a torn last one is no answer."""
    first, *rest = (run / "generations.jsonl").read_text().splitlines(keepends=True)
    taken = json.dumps({**json.loads(first), "reused_from": "/home/alice/runs/before"})
    torn = '{"reused_from": "/home/al'
    (run / "generations.jsonl").write_text("".join([taken, "\n", *rest, torn]))
    export(str(run), "--as", "artifact", "--out", str(tmp_path / "artifact"))
    copied = (tmp_path / "artifact" / "generations.jsonl").read_text().splitlines(keepends=True)
    assert json.loads(copied[0]) == {**json.loads(first), "reused_from": "before"}
    assert copied[1:] == rest


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Two runs in one group."""
    for name in ("one", "two"):
        write_run(tmp_path / "night" / name, name=f"{name}@q4_0", limit=3, styles=("plain",))
    (tmp_path / "night" / "group.json").write_text(json.dumps({"models": [{"folder": "one"}, {"folder": "two"}]}))
    return tmp_path / "night"


@pytest.mark.parametrize(
    ("kind", "ending"), [("evalplus", "evalplus.jsonl"), ("csv", "csv"), ("leaderboard", "leaderboard.json")]
)
def test_of_a_group_each_run_has_a_file(group: Path, tmp_path: Path, kind: str, ending: str) -> None:
    """In the folder that --out names, or here; their paths are printed; each is what the run alone would give."""
    out = tmp_path / "files" / "new"
    told = export(str(group), "--as", kind, "--out", str(out))
    assert told.splitlines() == [str(out / f"{name}.{ending}") for name in ("one", "two")]
    for name in ("one", "two"):
        assert (out / f"{name}.{ending}").read_text() == export(str(group / name), "--as", kind)


def test_a_group_does_not_go_into_one_file(group: Path, tmp_path: Path) -> None:
    """A file that is there is not taken for a folder."""
    (tmp_path / "all.csv").touch()
    with pytest.raises(UsageError, match="one file"):
        export(str(group), "--as", "csv", "--out", str(tmp_path / "all.csv"))


def test_an_artifact_for_each_run_of_a_group(group: Path, tmp_path: Path) -> None:
    """Whole folders, side by side."""
    export(str(group), "--as", "artifact", "--out", str(tmp_path / "public"))
    assert sorted(path.name for path in (tmp_path / "public").iterdir()) == ["one-artifact", "two-artifact"]
    assert (tmp_path / "public" / "two-artifact" / "SHA256SUMS").is_file()
