"""The line from end to end, as a user runs it, on the packaged demo model."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cpu_codegen.packaged import demo_model
from cpu_codegen.report.samples import load_samples
from cpu_codegen.store import RunFolder
from tests.line.conftest import Run, typed
from tests.line.support import COMMAND, lines

SHORT = [
    "run",
    "-m",
    "demo",
    "--style",
    "plain,cot",
    "--limit",
    "3",
    "-t",
    "1",
    "--efficiency-budget",
    "3s",
    "--out",
    "short",
    "-o",
    "json",
]

pytestmark = pytest.mark.model


@pytest.fixture(scope="session")
def finished_run(line_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three problems in two styles, complete, generated once for all tests of this file; what it printed lies beside it."""
    folder = tmp_path_factory.mktemp("finished")
    result = typed(*SHORT, home=line_home, cwd=folder)
    assert result.returncode == 0, result.stderr
    (folder / "stdout.json").write_text(result.stdout)
    return folder


@pytest.fixture
def short_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may change."""
    shutil.copytree(finished_run, tmp_path, dirs_exist_ok=True)
    return tmp_path / "short"


def test_a_run_ends_with_every_column_and_says_so_on_stdout(short_run: Path) -> None:
    """Run folder, settings, and per style and level n, passed, pass@1 with its interval, outcomes."""
    told = json.loads((short_run.parent / "stdout.json").read_text())
    assert Path(told["run"]).name == "short"
    assert told["settings"]["max_tokens"] > 0
    cells = [cell for cell in told["groups"] if cell["level"] == "all"]
    assert {cell["style"] for cell in cells} == {"plain", "cot"}
    for cell in cells:
        assert cell["n"] == 3
        assert 0 <= cell["passed"] <= 3
        assert cell["pass@1"]["low"] <= cell["pass@1"]["value"] <= cell["pass@1"]["high"]
        assert sum(cell["outcomes"].values()) == 3
    assert len(lines(short_run / "generations.jsonl")) == 6
    assert len(lines(short_run / "results.jsonl")) == 6
    assert (short_run / "report.html").stat().st_size > 1000


def test_a_result_says_when_its_program_began_and_a_sample_when_its_answer_did(short_run: Path) -> None:
    """Both are called `start_offset_s`, of two clocks: joined, the generation's stands."""
    began = [result["start_offset_s"] for result in lines(short_run / "results.jsonl")]
    assert min(began) >= 0
    assert sorted(began)[0] < sorted(began)[-1]
    answered = {record["key"]: record["start_offset_s"] for record in lines(short_run / "generations.jsonl")}
    assert {s["key"]: s["start_offset_s"] for s in load_samples(RunFolder(short_run))} == answered


def test_answers_come_from_the_gguf_and_llama_cpp(short_run: Path) -> None:
    """No product code reads a reference while generating: the manifest names the engine and the file's own digest."""
    manifest = json.loads((short_run / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["engine"]["kind"] == "llama.cpp"
    assert manifest["model"]["sha256"] == hashlib.sha256(demo_model().read_bytes()).hexdigest()
    for record in lines(short_run / "generations.jsonl"):
        assert record["completion_tokens"] > 0
        assert record["decode_s"] > 0


def test_the_same_command_has_nothing_left_to_do(short_run: Path, cpu_codegen: Run) -> None:
    """Resume by keys: a finished folder gets no second line for any key."""
    before = (short_run / "generations.jsonl").read_bytes(), (short_run / "results.jsonl").read_bytes()
    again = cpu_codegen(*SHORT)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr
    assert before == ((short_run / "generations.jsonl").read_bytes(), (short_run / "results.jsonl").read_bytes())


def test_scope_may_grow_and_settings_may_not(short_run: Path, cpu_codegen: Run) -> None:
    """One problem more is generated alone; another token limit on the same folder exits 6 and says what to type."""
    grown = cpu_codegen(*[part if part != "3" else "4" for part in SHORT])
    assert grown.returncode == 0, grown.stderr
    assert len(lines(short_run / "generations.jsonl")) == 8
    other = cpu_codegen(*SHORT, "--max-tokens", "77")
    assert other.returncode == 6
    assert "max_tokens" in other.stderr
    assert "--out" in other.stderr


def test_a_torn_line_is_redone(short_run: Path, cpu_codegen: Run) -> None:
    """A line cut by a crash is dropped and its sample generated again; nothing else is."""
    path = short_run / "generations.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert cpu_codegen(*SHORT).returncode == 0
    assert len(lines(path)) == 6
    assert path.read_bytes().startswith(whole[: whole[:-1].rindex(b"\n")])


def test_two_processes_do_not_share_a_folder(short_run: Path, cpu_codegen: Run) -> None:
    """While one holds the lock, the other exits 6 with a remedy."""
    holder = (
        "import sys, time\nfrom pathlib import Path\nfrom cpu_codegen.store import RunFolder\n"
        "folder = RunFolder(Path(sys.argv[1]), writable=True)\nprint('held', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", holder, str(short_run)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        refused = cpu_codegen(*SHORT)
    finally:
        process.kill()
        process.communicate()
    assert refused.returncode == 6
    assert "in use by another" in refused.stderr


def test_a_file_where_the_folder_should_be_is_a_clear_error(cpu_codegen: Run, tmp_path: Path) -> None:
    """Nothing is generated before the folder is known to be writable."""
    (tmp_path / "short").write_text("a file")
    refused = cpu_codegen(*SHORT)
    assert refused.returncode == 3
    assert refused.stderr.count("error:") == 1
    assert "try:" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits on Windows")
def test_a_disk_that_fills_up_tears_nothing(cpu_codegen: Run, tmp_path: Path) -> None:
    """A write that fails (here by a limit on file size) ends the run with a clear error; with room again it goes on."""
    import resource

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, resource.RLIM_INFINITY))

    arguments = ["run", "-m", "demo", "--limit", "12", "--parallel", "4", "-t", "1", "--out", "full"]
    arguments += ["--efficiency-budget", "0"]
    failed = cpu_codegen(*arguments, preexec_fn=small_disk)
    assert failed.returncode == 3, failed.stderr
    assert "Traceback" not in failed.stderr
    kept = tmp_path / "full" / "generations.jsonl"
    before = lines(kept) if kept.exists() else []
    assert cpu_codegen(*arguments).returncode == 0
    assert [record["key"] for record in lines(kept)][: len(before)] == [record["key"] for record in before]
    assert len({record["key"] for record in lines(kept)}) == 12


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX signals on Windows")
def test_ctrl_c_stops_soon_and_the_same_command_goes_on(
    cpu_codegen: Run, tmp_path: Path, line_env: dict[str, str]
) -> None:
    """SIGINT: exit 130, what is stored stays, the status is "interrupted"; then the rest is generated."""
    import signal

    arguments = [
        "run",
        "-m",
        "demo",
        "--style",
        "plain,cot",
        "--limit",
        "10",
        "--parallel",
        "2",
        "-t",
        "1",
        "--efficiency-budget",
        "0",
        "--out",
        str(tmp_path / "stopped"),
    ]
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=line_env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    stored = tmp_path / "stopped" / "generations.jsonl"
    deadline = time.monotonic() + 120
    while not (stored.exists() and stored.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "answers kept" in told
    assert "the same command" in told
    manifest = json.loads((tmp_path / "stopped" / "manifest.json").read_text())
    assert manifest["status"] == "interrupted"
    assert len(lines(stored)) < 20
    assert cpu_codegen(*arguments).returncode == 0
    assert len({record["key"] for record in lines(stored)}) == 20


def test_help_and_reports_do_not_import_llama_cpp(short_run: Path, line_env: dict[str, str]) -> None:
    """Every command works without llama-cpp-python being imported unless it generates."""
    program = (
        "import sys\nsys.modules['llama_cpp'] = None\nsys.argv = ['cpu-codegen', *sys.argv[1:]]\n"
        "from cpu_codegen.cli import main\nmain()"
    )
    for arguments in (
        ["--help"],
        ["report", str(short_run)],
        ["show", str(short_run)],
        ["problems", "list"],
        SHORT,
    ):
        result = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env=line_env,
            cwd=short_run.parent,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert "Traceback" not in result.stderr
