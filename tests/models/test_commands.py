"""`cpu-codegen models …`, through the command line's own parser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cpu_codegen.cli import app
from cpu_codegen.download import pull
from cpu_codegen.errors import CpuCodegenError, IntegrityError, MachineError, UnavailableError, UsageError
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.catalogue import user_file
from cpu_codegen.models.ledger import downloads, ledger_file
from cpu_codegen.models.obtain import obtain
from cpu_codegen.models.transfer import Watcher
from cpu_codegen.registry import is_local, resolve
from tests.models.downloads import DEAD
from tests.models.support import Hub, tiny_gguf

REPO, FILE = "user/tiny-GGUF", "tiny-q4_k_m.gguf"
NAME = f"hf:{REPO}@main/{FILE}"

DATA = tiny_gguf(3000)

Call = Callable[..., str]


class Hasty(Watcher):
    """Does not wait before it tries again."""

    def pause(self, seconds: float) -> None:
        """A wait that is not waited."""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """stdout of a command."""

    def call(*arguments: str) -> str:
        capsys.readouterr()
        app(["models", *arguments], standalone_mode=False)
        return capsys.readouterr().out

    return call


@pytest.fixture
def served(hub: Hub) -> Hub:
    """A hub with one file."""
    hub.add(REPO, FILE, DATA)
    return hub


def test_list(call: Call) -> None:
    """Every file with size, parameters, licence, and whether it is here; non-commercial ones are flagged."""
    lines = call("list").splitlines()
    assert len(lines) > 60
    (row,) = [line for line in lines if line.startswith("qwen2.5-coder-1.5b@q4_k_m")]
    assert "1.12 GB" in row
    assert "1.54 B" in row
    assert "apache-2.0" in row
    (research,) = [line for line in lines if line.startswith("qwen2.5-coder-3b@q4_k_m")]
    assert "non-commercial" in research


def test_list_filters_and_formats(call: Call) -> None:
    """Words narrow the list; JSON carries every fact, null where nobody knows; CSV and Markdown are tables."""
    records = json.loads(call("list", "qwen2.5-coder", "-o", "json"))
    assert {record["family"] for record in records} == {"qwen2.5-coder"}
    unpinned = next(record for record in records if not record["pinned"])
    assert (unpinned["bytes"], unpinned["here"]) == (None, False)
    assert call("list", "phi-2", "-o", "md").startswith("| model |")
    here = {line.split()[0] for line in call("ls", "--here").splitlines()[1:]}
    assert here == {line.split()[0] for line in call("ls").splitlines()[1:] if line.endswith("yes")}


@pytest.mark.parametrize(
    ("ram", "first"), [("1G", "gemma-3-270m"), ("5G", "codegemma-2b"), ("64G", "qwen3-coder-30b-a3b")]
)
def test_starter_sets(call: Call, ram: str, first: str) -> None:
    """`--starter RAM` shows the models to begin with: those of the largest set that so much RAM holds."""
    lines = call("list", "--starter", ram, "-o", "csv").splitlines()
    assert lines[1].startswith(first + "@")
    assert len(lines) < 15


def test_no_starter_set(call: Call) -> None:
    """Below the smallest set there is none, and the error says what to ask instead."""
    with pytest.raises(UsageError, match=r"under 1\.00 GB"):
        call("list", "--starter", "200M")


def test_show(call: Call) -> None:
    """Facts with their sources; scores of others say that they were not measured here."""
    text = call("show", "qwen-coder-1.5b")
    assert "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046" in text
    assert "not measured here" in text
    assert "litgpt" in text
    assert json.loads(call("show", "phi-2", "--json"))["alias"] == "phi-2"


def test_pull_path_verify_rm(served: Hub, call: Call) -> None:
    """The life of a model: fetched, found, checked, removed."""
    assert "fits" in call("pull", NAME, "--dry-run")
    path = Path(call("pull", NAME).splitlines()[-1])
    assert path.read_bytes() == tiny_gguf(3000)
    assert call("path", NAME).strip() == str(path)
    assert "right (first download)" in call("verify", NAME)
    assert "would free 12 kB" in call("rm", NAME, "--dry-run")
    assert path.exists()
    assert "freed 12 kB" in call("rm", NAME)
    assert not list(hub_cache().rglob("*.gguf"))
    assert downloads() == []
    with pytest.raises(UnavailableError, match="not on this machine"):
        call("path", NAME)


def test_what_came_before_a_failure_is_said(served: Hub, call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two models the second is not on the hub: exit 4, and the first one's path stands on stdout."""
    with pytest.raises(UnavailableError):
        call("pull", NAME, f"hf:{REPO}@main/absent.gguf")
    assert Path(capsys.readouterr().out.strip()).read_bytes() == DATA


def test_verify_reads_again(served: Hub, call: Call) -> None:
    """Rot on the disk is found although size and time are as they were: exit 6."""
    import os

    path = Path(call("pull", NAME).splitlines()[-1]).resolve()
    before = path.stat()
    path.write_bytes(tiny_gguf(3000)[:-1] + b"\x7f")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(IntegrityError) as caught:
        call("verify", NAME)
    assert caught.value.exit_code == 6
    assert "--again" in (caught.value.remedy or "")


def test_verify_what_cannot_be_read(served: Hub, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that gives an error is exit 4 with the path, not a traceback."""
    call("pull", NAME)

    def failing(*_: object) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("cpu_codegen.models.digests._hash", failing)
    with pytest.raises(UnavailableError, match=r"cannot read .*Input/output error"):
        call("verify", NAME)


def test_rm_takes_only_our_own(call: Call) -> None:
    """A file that another tool brought stays."""
    file = Path.home() / ".lmstudio/models" / REPO / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(tiny_gguf())
    with pytest.raises(UnavailableError, match="not downloaded by cpu-codegen"):
        call("rm", NAME)
    assert file.exists()


def test_rm_removes_a_part(served: Hub, call: Call) -> None:
    """What an interrupted download left goes, too."""
    served.faults.cut_after = [5000, *DEAD]
    with pytest.raises(UnavailableError):
        pull(resolve(NAME), watcher=Hasty())
    assert "freed 5 kB" in call("rm", NAME)
    assert not list(hub_cache().rglob("*.part"))


def test_rm_leaves_a_blob_that_came_beside_our_part(served: Hub, call: Call) -> None:
    """Another tool finished the file that we began: only our part goes."""
    served.faults.cut_after = [5000, *DEAD]
    with pytest.raises(UnavailableError):
        pull(resolve(NAME), watcher=Hasty())
    (part,) = hub_cache().rglob("*.part")
    blob = part.with_name(part.name.removesuffix(".cpu-codegen.part"))
    blob.write_bytes(DATA)
    assert "freed 5 kB" in call("rm", NAME)
    assert blob.read_bytes() == DATA
    assert not part.exists()


def test_rm_leaves_other_names_and_other_commits(served: Hub, call: Call) -> None:
    """A dangling name of another tool and another commit's file stay; a file with two names is counted once and goes with both."""
    call("pull", NAME)
    path = Path(call("path", NAME).strip())
    stale = path.parent / "other.gguf"
    stale.symlink_to("../../blobs/on-a-disk-that-is-away")
    second = path.parent / "second-name.gguf"
    second.symlink_to(path.readlink())
    served.commit = "b" * 40
    exact = NAME.replace("@main", "@" + "b" * 40)
    served.add(REPO, FILE, tiny_gguf(fill=0.25))
    call("pull", exact)
    assert f"freed {len(tiny_gguf(fill=0.25))} B" in call("rm", exact)
    assert path.read_bytes() == DATA
    call("rm", NAME)
    assert stale.is_symlink()
    assert not second.is_symlink()
    assert not path.exists()


def test_a_cache_behind_a_link(served: Hub, call: Call, tmp_path: Path) -> None:
    """A cache that lies on another disk by a symbolic link is filled, found and emptied like any other."""
    elsewhere = tmp_path / "big-disk"
    elsewhere.mkdir()
    (tmp_path / "hf").symlink_to(elsewhere)
    call("pull", NAME)
    assert Path(call("path", NAME).strip()).read_bytes() == DATA
    assert "right" in call("verify", NAME)
    call("rm", NAME)
    assert not [path for path in elsewhere.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_rm_distrusts_the_ledger(served: Hub, call: Call, tmp_path: Path) -> None:
    """A ledger that names a file outside of the cache deletes nothing."""
    call("pull", NAME)
    precious = tmp_path / "precious.txt"
    precious.write_text("keep me")
    records = json.loads(ledger_file().read_text())
    records[0]["blob"] = str(precious)
    ledger_file().write_text(json.dumps(records))
    with pytest.raises(IntegrityError, match="nothing is deleted"):
        call("rm", NAME)
    assert precious.exists()


def test_add_a_path(call: Call, tmp_path: Path) -> None:
    """A file here gets a name of its own, which then works like any other."""
    file = tmp_path / "odd name: Q8_0.gguf"
    file.write_bytes(tiny_gguf())
    assert call("add", "mine", str(file), "--licence", "mit").strip() == "mine@q8_0"
    spec = resolve("mine")
    assert is_local(spec)
    assert (spec.paths, spec.licence) == ((str(file),), "mit")


@pytest.mark.parametrize(
    "name", ["\N{ROCKET}.gguf", 'a "quoted" \\ name.gguf', "zwölf\u2028.gguf", "# not: a comment.gguf"]
)
def test_add_any_path(call: Call, tmp_path: Path, name: str) -> None:
    """Whatever a file is called, its entry means that file."""
    file = tmp_path / name
    file.write_bytes(tiny_gguf())
    call("add", "mine", str(file))
    assert call("path", "mine") == f"{file}\n"


@pytest.mark.parametrize(
    ("variable", "command"),
    [("XDG_DATA_HOME", ("pull", NAME)), ("HF_HOME", ("pull", NAME)), ("XDG_CONFIG_HOME", ("add", "mine", NAME))],
)
def test_places_that_cannot_be_written(
    served: Hub, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, command: tuple[str, ...]
) -> None:
    """A ledger, a cache and a registry where no folder can be made: exit 3 with the path and the variable that moves it."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(variable, str(tmp_path / "file" / "below"))
    with pytest.raises(MachineError, match="cannot write") as caught:
        call(*command)
    assert variable in (caught.value.remedy or "")


def test_what_cannot_be_deleted(served: Hub, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that may not be changed: exit 3 with the path, and the file stays booked as ours."""
    call("pull", NAME)

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(MachineError, match=r"cannot delete .*Permission denied"):
            call("rm", NAME)
    assert len(downloads()) == 1


def test_add_keeps_what_stands_there(served: Hub, call: Call) -> None:
    """The user's own entries and comments survive, whatever their indentation."""
    user_file().parent.mkdir(parents=True)
    user_file().write_text(
        "# precious\nschema: 1\nmodels: # all of them\n    old:\n        files:\n"
        "            q4_0: {path: /a.gguf, source: me} # why\n"
    )
    call("add", "new", f"hf:{REPO}:q4_k_m")
    text = user_file().read_text()
    assert "# precious" in text
    assert "# why" in text
    assert resolve("old").paths == ("/a.gguf",)
    assert (resolve("new").repo, resolve("new").files) == (REPO, (FILE,))


@pytest.mark.parametrize(
    ("alias", "says"), [("phi-2", "already"), ("Bad Name", "cannot be"), ("qwen-coder-1.5b", "already")]
)
def test_add_refuses(call: Call, tmp_path: Path, alias: str, says: str) -> None:
    """A taken name and one that cannot be typed are refused, and nothing is written."""
    file = tmp_path / "m.gguf"
    file.write_bytes(tiny_gguf())
    with pytest.raises(UsageError, match=says):
        call("add", alias, str(file))
    assert not user_file().exists()


class Remembering:
    """A run's progress that keeps what it was told."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.lines: list[str] = []
        self.steps = 0

    def begin(self, column: str, total: int, done: int = 0) -> None:
        """A column."""
        self.columns.append(column)
        self.steps = done

    def advance(self, note: str = "") -> None:
        """A step."""
        self.steps += 1

    def note(self, note: str) -> None:
        """No step."""

    def end(self, note: str = "") -> None:
        """The end."""
        self.columns.append("end")

    def say(self, text: str) -> None:
        """A line."""
        self.lines.append(text)


def test_run_fetches_what_is_not_here(served: Hub) -> None:
    """A run's model comes by itself, with its licence said and a bar up to 100 %."""
    progress = Remembering()
    spec, model = obtain(NAME, progress=progress)
    assert Path(model.path).read_bytes() == tiny_gguf(3000)
    assert spec.files == (FILE,)
    assert progress.columns == ["download", "end"]
    assert progress.steps == 100
    assert any("licence unknown" in line for line in progress.lines)
    again = Remembering()
    obtain(NAME, progress=again)
    assert again.columns == []


def test_run_offline(served: Hub) -> None:
    """Offline, a run ends with the name of what is missing; nothing is asked of the hub."""
    with pytest.raises(CpuCodegenError, match="offline") as caught:
        obtain(NAME, progress=Remembering(), offline=True)
    assert caught.value.exit_code == 4
    assert served.ranges == []
