"""The run folder keeps every whole line and nothing else, whatever happens to the writer."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from cpu_codegen.durable import write_whole
from cpu_codegen.errors import IntegrityError, MachineError, StoreBusyError, UsageError
from cpu_codegen.run_names import find_run
from cpu_codegen.schema import Outcome
from cpu_codegen.store import RunFolder, digest, dump_line, plain


def test_a_line_comes_back_as_it_was(tmp_path: Path) -> None:
    """Records survive a round trip, lone surrogates and line separators included."""
    text = "a\ud800b\u2028c\x00\n\r\u202e"
    with RunFolder(tmp_path / "run", writable=True) as folder:
        folder.append("generations", {"key": "k", "text": text})
    assert [r["text"] for r in RunFolder(tmp_path / "run").read("generations")] == [text]
    assert (tmp_path / "run" / "generations.jsonl").read_bytes().count(b"\n") == 1


def test_a_line_is_on_the_disk_before_append_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut no line is missing that somebody was told of: each one is synced, whole."""
    synced: list[int] = []

    def noted(number: int) -> None:
        if stat.S_ISREG(os.fstat(number).st_mode):
            synced.append(os.fstat(number).st_size)

    monkeypatch.setattr(os, "fsync", noted)
    with RunFolder(tmp_path, writable=True) as folder:
        for key in ("a", "b"):
            folder.append("results", {"key": key})
            assert synced[-1] == (tmp_path / "results.jsonl").stat().st_size
    assert len(synced) == 2
    write_whole(tmp_path / "manifest.json", "text")
    assert synced[2:] == [4]


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


@pytest.mark.parametrize(
    "line",
    ['{"schema":"1","key":"a"}', '{"schema":1}', '{"key":7}', '"key"', "[" * 100_000, '{"n":' + "9" * 5000 + "}"],
)
def test_a_line_of_another_form_is_an_integrity_error(tmp_path: Path, line: str) -> None:
    """What no version wrote is named by its line, whatever it is: exit 6, never a traceback."""
    (tmp_path / "results.jsonl").write_text('{"key":"a"}\n' + line + "\n")
    with pytest.raises(IntegrityError, match=r"results\.jsonl:2: damaged line"):
        RunFolder(tmp_path).by_key("results")


def test_a_column_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path) -> None:
    """Here it is a folder; a file of another user's is the same case."""
    (tmp_path / "results.jsonl").mkdir()
    with pytest.raises(MachineError, match=r"cannot read .*results\.jsonl"):
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


@pytest.mark.skipif(sys.platform == "win32", reason="flock is POSIX's")
def test_a_file_system_without_locks_is_not_called_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for another process to end would not help there."""
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(MachineError, match="No locks available") as caught:
        RunFolder(tmp_path, writable=True)
    assert "--out" in (caught.value.remedy or "")


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
    assert plain(set("unordered")) == sorted(set("unordered"))


def test_a_manifest_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """No temporary file is left and the text is complete."""
    write_whole(tmp_path / "manifest.json", "one")
    write_whole(tmp_path / "manifest.json", "two")
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
    assert (tmp_path / "manifest.json").read_text() == "two"


def test_a_manifest_holds_names_that_are_no_unicode(tmp_path: Path) -> None:
    """An argument in another encoding arrives as lone surrogates; the file is UTF-8 all the same and gives them back."""
    argument = os.fsdecode(b"runs/caf\xe9") if sys.platform != "win32" else "runs/caf\udce9"
    with RunFolder(tmp_path, writable=True) as folder:
        folder.write_manifest({"argv": [argument, "grün"]})
    assert "grün" in (tmp_path / "manifest.json").read_text(encoding="utf-8")
    assert RunFolder(tmp_path).manifest()["argv"] == [argument, "grün"]


def test_a_stop_in_the_middle_of_a_replacement_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between writing and renaming: the old text stays, and nothing beside it."""
    write_whole(tmp_path / "manifest.json", "old")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "manifest.json", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
    assert (tmp_path / "manifest.json").read_text() == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="folders are synced by the system there")
def test_a_new_file_is_durable_together_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is synced too when a column begins and when a manifest is replaced: else a power cut takes the whole file."""
    synced: list[bool] = []
    monkeypatch.setattr("os.fsync", lambda fd: synced.append(stat.S_ISDIR(os.fstat(fd).st_mode)))
    with RunFolder(tmp_path, writable=True) as folder:
        folder.append("results", {"key": "a"})
        folder.append("results", {"key": "b"})
        assert synced == [True, False, False]
        folder.write_manifest({})
        assert synced[3:] == [False, True]


def test_a_file_system_that_syncs_no_folders_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network and user-space ones refuse it; the files themselves are synced all the same."""

    def refuse_folders(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("os.fsync", refuse_folders)
    with RunFolder(tmp_path, writable=True) as folder:
        folder.write_manifest({"status": "running"})
        folder.append("results", {"key": "a"})
    assert list(RunFolder(tmp_path).by_key("results")) == ["a"]


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
