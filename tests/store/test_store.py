"""The run folder keeps every whole line and nothing else, whatever happens to the writer."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cpu_codegen.errors import IntegrityError, MachineError, StoreBusyError, UsageError
from cpu_codegen.run_names import find_run
from cpu_codegen.schema import Outcome
from cpu_codegen.store import RunFolder, digest, dump_line, plain, write_whole


def test_a_line_comes_back_as_it_was(tmp_path: Path) -> None:
    """Records survive a round trip, lone surrogates and line separators included."""
    text = "a\ud800b\u2028c\x00\n\r\u202e"
    with RunFolder(tmp_path / "run", writable=True) as folder:
        folder.append("generations", {"key": "k", "text": text})
    assert [r["text"] for r in RunFolder(tmp_path / "run").read("generations")] == [text]
    assert (tmp_path / "run" / "generations.jsonl").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_torn_last_line_costs_itself_alone(tmp_path: Path, cut: int) -> None:
    """Whatever part of the last line was written, earlier lines stay and the next append begins a new line."""
    with RunFolder(tmp_path, writable=True) as folder:
        folder.append("results", {"key": "whole"})
    path = tmp_path / "results.jsonl"
    line = dump_line({"schema": 1, "key": "torn", "padding": "x" * 40}).encode()
    path.write_bytes(path.read_bytes() + line[:cut])
    assert [r["key"] for r in RunFolder(tmp_path).read("results")] == ["whole"]
    with RunFolder(tmp_path, writable=True) as folder:
        folder.append("results", {"key": "next"})
    assert [r["key"] for r in RunFolder(tmp_path).read("results")] == ["whole", "next"]


def test_damage_in_the_middle_is_named_by_line(tmp_path: Path) -> None:
    """A damaged line before the last is an integrity error with file and line."""
    (tmp_path / "results.jsonl").write_text('{"key":"a"}\n{"key":\n{"key":"b"}\n')
    with pytest.raises(IntegrityError, match=r"results\.jsonl:2"):
        list(RunFolder(tmp_path).read("results"))


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """Lines of a later version are not guessed at."""
    (tmp_path / "results.jsonl").write_text('{"schema":999,"key":"a"}\n')
    with pytest.raises(IntegrityError, match="newer"):
        list(RunFolder(tmp_path).read("results"))


def test_two_processes_cannot_write_to_one_folder(tmp_path: Path) -> None:
    """A second writer is told so; after the first died by SIGKILL the folder is free again."""
    code = (
        "import sys, time; from pathlib import Path; from cpu_codegen.store import RunFolder\n"
        "f = RunFolder(Path(sys.argv[1]), writable=True); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreBusyError, match="in use"):
            RunFolder(tmp_path, writable=True)
    finally:
        holder.kill()
        holder.communicate()
    RunFolder(tmp_path, writable=True).close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """ENOSPC names the file and what to do, and is not a traceback."""
    (tmp_path / "results.jsonl").symlink_to("/dev/full")
    with RunFolder(tmp_path, writable=True) as folder, pytest.raises(MachineError, match=r"results\.jsonl") as caught:
        folder.append("results", {"key": "a"})
    assert "space" in (caught.value.remedy or "")


def test_a_failed_write_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    """A limit in the middle of a line is like a disk that fills up there: earlier lines are whole, later ones go on."""
    if sys.platform == "win32":
        pytest.skip("no file size limit here")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from cpu_codegen.store import RunFolder; from cpu_codegen.errors import MachineError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "f = RunFolder(Path(sys.argv[1]), writable=True); f.append('results', {'key': 'a'})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))\n"
        "try: f.append('results', {'key': 'b' * 500})\n"
        "except MachineError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
    data = (tmp_path / "results.jsonl").read_bytes()
    assert data.endswith(b"\n")
    assert [json.loads(line)["key"] for line in data.splitlines()] == ["a"]


def test_a_read_only_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """A folder that cannot be made says so (here: its parent is a file)."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot write"):
        RunFolder(tmp_path / "file" / "run", writable=True)


def test_the_later_line_of_a_key_wins(tmp_path: Path) -> None:
    """Re-scoring appends; readers see the newest verdict."""
    with RunFolder(tmp_path, writable=True) as folder:
        folder.append("results", {"key": "k", "outcome": Outcome.WRONG})
        folder.append("results", {"key": "k", "outcome": Outcome.PASSED})
    assert RunFolder(tmp_path).by_key("results")["k"]["outcome"] == "passed"


def test_json_is_strict() -> None:
    """NaN and infinities become null, dataclasses and enums become plain."""

    @dataclass
    class Facts:
        mean: float
        outcome: Outcome
        parts: tuple[float, ...]

    value = plain(Facts(math.nan, Outcome.TIMEOUT, (1.0, math.inf)))
    assert value == {"mean": None, "outcome": "timeout", "parts": [1.0, None]}
    assert json.loads(dump_line(value)) == value


def test_digests_depend_on_every_part_and_on_nothing_else() -> None:
    """Equal parts give equal keys in another process too; order and boundaries matter."""
    assert digest("a", "b") == digest("a", "b")
    assert digest("ab") != digest("a", "b") != digest("b", "a")
    assert digest({"x": 1, "y": 2}) == digest({"y": 2, "x": 1})


def test_a_manifest_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """No temporary file is left and the text is complete."""
    write_whole(tmp_path / "manifest.json", "one")
    write_whole(tmp_path / "manifest.json", "two")
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
    assert (tmp_path / "manifest.json").read_text() == "two"


def test_runs_are_found_by_path_name_latest_and_prev(tmp_path: Path) -> None:
    """`latest` is the newest by name; an unknown name tells what to type."""
    for name in ("20260101T000000-a", "20260102T000000-b"):
        with RunFolder(tmp_path / name, writable=True) as folder:
            folder.write_manifest({"status": "finished"})
    assert find_run("latest", root=tmp_path).name.endswith("-b")
    assert find_run("prev", root=tmp_path).name.endswith("-a")
    assert find_run("20260101T000000-a", root=tmp_path).name.endswith("-a")
    with pytest.raises(UsageError) as caught:
        find_run("nowhere", root=tmp_path)
    assert "runs list" in (caught.value.remedy or "")
