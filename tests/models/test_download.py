"""Downloads against a local server that speaks the hub's protocol: no half file is ever taken for a whole one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen import download
from cpu_codegen.download import check_disk, describe, disk_plan, pull
from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError
from cpu_codegen.models import hub as hub_module
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.fetch import ATTEMPTS_WITHOUT_PROGRESS
from cpu_codegen.models.layout import part_path
from cpu_codegen.models.ledger import downloads
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.models.transfer import Transfer, Watcher, transfer_note
from cpu_codegen.registry import is_local, resolve
from tests.models.support import Hub, sha256, tiny_gguf

REPO, FILE = "user/tiny-GGUF", "tiny-q4_k_m.gguf"
DATA = tiny_gguf(50_000)
NAME = f"hf:{REPO}@main/{FILE}"
RESOLVED = ModelSpec(NAME, repo=REPO, files=(FILE,), quant="q4_k_m")


class Told(Watcher):
    """Remembers what it is told and does not wait."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.transfers: list[Transfer] = []

    def moved(self, transfer: Transfer) -> None:
        """Bytes came."""
        self.transfers.append(transfer)

    def say(self, text: str) -> None:
        """A line."""
        self.lines.append(text)

    def pause(self, seconds: float) -> None:
        """A wait that is not waited."""
        self.lines.append(f"paused {seconds:g} s")


@pytest.fixture
def served(hub: Hub) -> Hub:
    """A hub with one file."""
    hub.add(REPO, FILE, DATA)
    return hub


def pinned(**changes: object) -> ModelSpec:
    """A registry entry of the served file."""
    facts: dict[str, object] = {"sha256s": (sha256(DATA),), "sizes": (len(DATA),)}
    return ModelSpec("tiny", repo=REPO, files=(FILE,), **{**facts, **changes})  # type: ignore[arg-type]


def names_in_cache(pattern: str = "*.gguf") -> list[Path]:
    """Files that a tool would take for models."""
    return [path for path in hub_cache().rglob(pattern) if path.is_file()]


def test_whole_file(served: Hub) -> None:
    """A pull puts the file into the Hugging Face cache layout, under its digest, and books it."""
    pulled = pull(pinned())
    assert Path(pulled.model.path).read_bytes() == DATA
    assert pulled.model.sha256 == sha256(DATA)
    assert pulled.fetched_bytes == len(DATA)
    blob = Path(pulled.model.path).resolve()
    assert blob.name == sha256(DATA)
    assert [(d.file, d.state, d.pinned) for d in downloads()] == [(FILE, "whole", True)]


def test_second_pull_is_free(served: Hub) -> None:
    """What is here is not fetched again."""
    pull(pinned())
    assert pull(pinned()).fetched_bytes == 0
    assert len(served.ranges) == 1


def test_huggingface_hub_finds_it(served: Hub) -> None:
    """huggingface-hub itself takes the file for one of its own."""
    from huggingface_hub import try_to_load_from_cache

    pull(RESOLVED)
    found = try_to_load_from_cache(REPO, FILE, cache_dir=hub_cache())
    assert isinstance(found, str)
    assert Path(found).read_bytes() == DATA


def test_cut_connection_goes_on(served: Hub) -> None:
    """A cut connection is taken up where it ended, in the same call."""
    served.faults.cut_after = [100_000, 20_000]
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA)
    assert served.ranges == [0, 100_000, 120_000]
    assert any("going on from" in line for line in told.lines)


def test_cut_for_good_resumes_later(served: Hub) -> None:
    """When nothing more comes the part stays, nothing is usable, and the next pull fetches only the rest."""
    served.faults.cut_after = [60_000, *[0] * 20]
    with pytest.raises(UnavailableError, match=r"cut|failed"):
        pull(pinned(), watcher=Told())
    assert not is_local(pinned())
    assert names_in_cache() == []
    served.faults.cut_after = []
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA) - 60_000
    assert served.ranges[-1] == 60_000


def test_wrong_content(served: Hub) -> None:
    """Bytes with another digest are thrown away."""
    served.faults.wrong_content = DATA[:-1] + b"\x01"
    with pytest.raises(IntegrityError, match="digest"):
        pull(pinned(), watcher=Told())
    assert names_in_cache() == names_in_cache("*.part") == []


def test_hub_names_another_digest(served: Hub) -> None:
    """A file that is not the registry's is refused before a byte comes."""
    with pytest.raises(IntegrityError, match="sha256"):
        pull(pinned(sha256s=("0" * 64,)), watcher=Told())
    assert served.sent == 0


def test_hub_names_another_length(served: Hub) -> None:
    """Another length is refused before a byte comes."""
    with pytest.raises(IntegrityError, match="bytes"):
        pull(pinned(sizes=(len(DATA) + 1,)), watcher=Told())
    assert served.sent == 0


def test_shorter_than_announced(served: Hub) -> None:
    """A file that ends before its announced length is never whole."""
    served.faults.announce_length = len(DATA) + 4096
    with pytest.raises((UnavailableError, IntegrityError)):
        pull(RESOLVED, watcher=Told())
    assert names_in_cache() == []


def test_longer_than_announced(served: Hub) -> None:
    """More than was announced is neither stored nor accepted."""
    served.faults.announce_length = len(DATA) - 4096
    served.faults.ignore_range = True
    with pytest.raises(IntegrityError, match="more than"):
        pull(RESOLVED, watcher=Told())
    assert names_in_cache() == []
    assert all(path.stat().st_size <= len(DATA) - 4096 for path in hub_cache().rglob("*.part"))


def test_server_without_ranges(served: Hub) -> None:
    """A server that ignores ranges is fine for a whole file and an error for a rest."""
    served.faults.ignore_range = True
    assert pull(pinned()).fetched_bytes == len(DATA)


def test_rest_from_a_server_without_ranges(served: Hub) -> None:
    """Its whole file is never appended to a part."""
    served.faults.cut_after = [50_000, *[0] * 9]
    with pytest.raises(UnavailableError):
        pull(pinned(), watcher=Told())
    served.faults.cut_after = []
    served.faults.ignore_range = True
    with pytest.raises(UnavailableError, match="from byte"):
        pull(pinned(), watcher=Told())
    assert names_in_cache() == []


@pytest.mark.parametrize(
    ("status", "code", "says", "remedy"),
    [
        (401, "RepoNotFound", "no such repo", "HF_TOKEN"),
        (403, "GatedRepo", "gated", "accept"),
        (403, "", "refuses access", "HF_TOKEN"),
        (404, "RepoNotFound", "no such repo", "spelling"),
        (404, "EntryNotFound", "no such file", "quant"),
        (404, "RevisionNotFound", "no such revision", "revision"),
    ],
)
def test_refusals_are_explained(served: Hub, status: int, code: str, says: str, remedy: str) -> None:
    """Gated, private and missing repos, files and revisions each have their own words and way out."""
    served.faults.status, served.faults.error_code = status, code
    with pytest.raises(UnavailableError, match=says) as caught:
        pull(RESOLVED, watcher=Told())
    assert remedy in (caught.value.remedy or "")


def test_too_many_requests(served: Hub) -> None:
    """429 names how long to wait."""
    served.faults.status, served.faults.headers = 429, {"Retry-After": "17"}
    served.faults.only_get = True
    told = Told()
    with pytest.raises(UnavailableError, match="429") as caught:
        pull(pinned(), watcher=told)
    assert "17 s" in (caught.value.remedy or "")
    assert sum(line.startswith("paused") for line in told.lines) == ATTEMPTS_WITHOUT_PROGRESS - 1


def test_server_error_passes(served: Hub) -> None:
    """A 500 in between is waited out."""
    served.faults.status, served.faults.status_times, served.faults.only_get = 500, 2, True
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA)
    assert [line for line in told.lines if line.startswith("paused")] == ["paused 2 s", "paused 4 s"]


def test_redirect(served: Hub) -> None:
    """LFS files come from another address; digest and length are those of the first answer."""
    served.faults.redirect = True
    assert pull(pinned()).fetched_bytes == len(DATA)


def test_token_is_sent(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_TOKEN goes along, and is never shown."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    told = Told()
    pull(RESOLVED, watcher=told)
    assert served.authorizations == {"Bearer hf_secret"}
    assert not any("hf_secret" in line for line in told.lines)


def test_token_stays_with_the_hub(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect to another host gets the range and not HF_TOKEN, on a resumed download too."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    elsewhere = Hub()
    try:
        elsewhere.add(REPO, FILE, DATA)
        served.faults.redirect_to = elsewhere.url
        elsewhere.faults.cut_after = [30_000]
        assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)
    finally:
        elsewhere.close()
    assert elsewhere.ranges == [0, 30_000]
    assert served.authorizations == {"Bearer hf_secret"}
    assert elsewhere.authorizations == set()


def test_a_server_that_stalls(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection on which nothing comes is left after a while, and the rest is asked for on another one."""
    monkeypatch.setattr(hub_module, "READ_TIMEOUT_S", 0.2)
    content = tiny_gguf(10_000)
    hub.add(REPO, FILE, content)
    hub.faults.seconds_per_piece = 0.5
    told = Told()
    assert pull(RESOLVED, watcher=told).fetched_bytes == len(content)
    assert any("connection failed" in line and "going on from" in line for line in told.lines)
    assert len(hub.ranges) > 1
    assert sorted(set(hub.ranges)) == hub.ranges


def test_offline(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """--offline and HF_HUB_OFFLINE make no connection."""
    with pytest.raises(UnavailableError, match="offline"):
        pull(pinned(), offline=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnavailableError, match="OFFLINE"):
        pull(pinned())
    assert served.sent == 0


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection at all is an error with a remedy, not a traceback."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="connection failed"):
        pull(RESOLVED, watcher=Told())


def test_first_use_is_said_and_remembered(served: Hub) -> None:
    """Without a digest in the registry the hub's is checked, recorded and said; a later change is refused without --again."""
    first = pull(RESOLVED, watcher=Told())
    assert "not pinned" in first.notes[0]
    assert downloads()[0].sha256 == sha256(DATA)
    Path(first.model.path).unlink()
    changed = tiny_gguf(50_000, fill=0.25)
    served.add(REPO, FILE, changed)
    served.commit = "b" * 40
    for revision in ("", "main"):
        with pytest.raises(IntegrityError, match="changed on the hub"):
            pull(replace(RESOLVED, revision=revision), watcher=Told())
    assert pull(RESOLVED, again=True, watcher=Told()).model.sha256 == sha256(changed)


def test_damaged_copy_is_replaced(served: Hub) -> None:
    """A pinned file whose bytes rotted on the disk is fetched again."""
    path = Path(pull(pinned()).model.path).resolve()
    path.write_bytes(b"x" * len(DATA))
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)
    assert path.read_bytes() == DATA


def test_a_part_that_is_too_long_is_worthless(served: Hub) -> None:
    """More bytes than the file has were never its beginning: it is fetched from its first byte."""
    part = part_path(describe(pinned())[0])
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (len(DATA) + 1))
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)
    assert served.ranges == [0]


def test_again_distrusts_the_part_too(served: Hub) -> None:
    """`--again` begins anew, so what an earlier attempt left cannot spoil it."""
    part = part_path(describe(pinned())[0])
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 60_000)
    assert pull(pinned(), again=True, watcher=Told()).model.sha256 == sha256(DATA)
    assert served.ranges == [0]


def test_split_file(hub: Hub) -> None:
    """All parts come; the first is the path; the digest is one of all parts."""
    parts = [f"big-q8_0-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    for number, part in enumerate(parts):
        hub.add(REPO, part, tiny_gguf(100, fill=number))
    spec = resolve(f"hf:{REPO}:q8_0")
    assert list(spec.files) == parts
    pulled = pull(spec, watcher=Told())
    assert pulled.model.path.endswith(parts[0])
    assert len(pulled.model.paths) == 3
    assert len(downloads()) == 3


def test_parts_are_of_one_commit(hub: Hub) -> None:
    """A branch that moves between two questions does not mix parts of two commits."""
    parts = [f"big-q8_0-0000{n}-of-00002.gguf" for n in (1, 2)]
    for part in parts:
        hub.add(REPO, part, tiny_gguf(100))
    hub.moving = True
    remotes = describe(ModelSpec("big", repo=REPO, files=tuple(parts)))
    assert len({remote.commit for remote in remotes}) == 1


def test_rest_of_a_damaged_part(served: Hub) -> None:
    """A part that rotted between two attempts is found at the end, thrown away, and the next pull is right."""
    served.faults.cut_after = [60_000, 0, 0, 0, 0]
    with pytest.raises(UnavailableError):
        pull(pinned(), watcher=Told())
    (part,) = hub_cache().rglob("*.part")
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(IntegrityError, match="thrown away"):
        pull(pinned(), watcher=Told())
    assert not part.exists()
    assert names_in_cache() == []
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)


@pytest.mark.parametrize("answer", ["bytes 0-9/200", "bytes 29999-200000/200320", "", "items 30000-1/2"])
def test_lies_about_the_range(served: Hub, answer: str) -> None:
    """Whatever a server claims of its range, no wrong byte ends in a whole file."""
    served.faults.cut_after = [30_000]
    served.faults.content_range = [None, *[answer] * 5]
    with pytest.raises((UnavailableError, IntegrityError)):
        pull(pinned(), watcher=Told())
    assert names_in_cache() == []


def test_progress(served: Hub) -> None:
    """Bytes done, bytes in all, rate and time left are told, up to the end."""
    served.faults.seconds_per_piece = 0.07
    told = Told()
    pull(pinned(), watcher=told)
    last = told.transfers[-1]
    assert (last.done_bytes, last.total_bytes) == (len(DATA), len(DATA))
    assert any(t.bytes_per_s and t.left_s for t in told.transfers[:-1])
    note = transfer_note(Transfer("x", 412_000_000, 1_117_320_768, 3_100_000.0, 227.5))
    assert note == "412 MB of 1.12 GB  3 MB/s  ETA 3:48"


def test_disk_is_checked_before(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the disk cannot hold is refused before a byte comes, with both sizes."""
    plan = disk_plan(describe(pinned()))
    assert plan.needed_bytes == len(DATA)
    with pytest.raises(MachineError, match=r"needs .* are free"):
        check_disk(download.Plan(plan.missing, 0, len(DATA)))
    check_disk(download.Plan(plan.missing, 0, len(DATA) + download.DISK_MARGIN_BYTES))


def test_hostile_names_from_the_hub(served: Hub) -> None:
    """A hub cannot choose paths here: neither by an entity tag nor by a file's name."""
    served.faults.announce_sha256 = "../../evil"
    with pytest.raises(UnavailableError, match="no sense"):
        pull(RESOLVED, watcher=Told())
    served.add(REPO, "../../evil-q8_0.gguf", DATA)
    assert "evil" not in " ".join(resolve(f"hf:{REPO}").files)


@pytest.mark.parametrize("answer", [b"<html>Please log in</html>", b"[1, 2]", b'[{"type": "file"}]', b"[" * 100_000])
def test_a_list_that_is_none(served: Hub, answer: bytes) -> None:
    """A login page in between, or a mirror of another kind, is named as such."""
    served.faults.list_as = answer
    with pytest.raises(UnavailableError, match="makes no sense") as caught:
        resolve(f"hf:{REPO}:q4_k_m")
    assert "HF_ENDPOINT" in (caught.value.remedy or "")


@pytest.mark.parametrize("size", ["many", "-5", "1e9"])
def test_a_size_that_is_none(served: Hub, size: str) -> None:
    """So is a length that is no number."""
    served.faults.announce_size = size
    with pytest.raises(UnavailableError, match="the hub's answer"):
        pull(RESOLVED, watcher=Told())


# ── processes of their own ───────────────────────────────────────────────────────────────────────────────────────────

PULL = [sys.executable, "-m", "cpu_codegen", "models", "pull", NAME]


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def part_bytes() -> int:
    """How much of the file is here."""
    return sum(path.stat().st_size for path in hub_cache().rglob("*.cpu-codegen.part"))


def test_killed_and_resumed(served: Hub) -> None:
    """After kill -9 nothing looks whole, and the next pull goes on where it ended."""
    served.faults.seconds_per_piece = 0.05
    process = subprocess.Popen(PULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: part_bytes() > 30_000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = part_bytes()
    assert 0 < kept < len(DATA)
    assert names_in_cache() == []
    served.faults.seconds_per_piece = 0.0
    again = subprocess.run(PULL, capture_output=True, text=True, check=True)
    assert served.ranges[-1] == kept
    assert Path(again.stdout.strip().splitlines()[-1]).read_bytes() == DATA


def test_two_processes(served: Hub) -> None:
    """Two pulls of one file at once fetch it once, and both end with it."""
    served.faults.seconds_per_piece = 0.03
    both = [subprocess.Popen(PULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    paths = {out.strip() for out, _ in results}
    assert len(paths) == 1
    assert Path(paths.pop()).read_bytes() == DATA
    assert served.sent == len(DATA)


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limit to stand in for a full disk")
def test_full_disk(served: Hub) -> None:
    """A disk that fills up keeps the part, says so with exit 3, and the next pull goes on."""
    import resource

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    full = subprocess.run(PULL, capture_output=True, text=True, check=False, preexec_fn=small_disk)
    assert full.returncode == 3, full.stderr
    assert "the disk is full" in full.stderr
    assert "goes on there" in full.stderr
    assert names_in_cache() == []
    assert 0 < part_bytes() <= 100_000
    subprocess.run(PULL, capture_output=True, check=True, env=dict(os.environ))
    assert served.ranges[-1] > 0
