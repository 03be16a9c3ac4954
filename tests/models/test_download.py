"""Downloads against a local server that speaks the hub's protocol: what comes, where it lies, what is said and remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen import download
from cpu_codegen.download import check_disk, describe, disk_plan, pull
from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError
from cpu_codegen.models.caches import hub_cache, repo_folder
from cpu_codegen.models.ledger import downloads
from cpu_codegen.models.spec import Elsewhere, ModelSpec
from cpu_codegen.models.transfer import Transfer, transfer_note
from cpu_codegen.registry import resolve
from tests.models.downloads import DATA, FILE, REPO, RESOLVED, Told, pinned
from tests.models.support import Hub, sha256, tiny_gguf


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


def test_offline(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """--offline and HF_HUB_OFFLINE make no connection."""
    with pytest.raises(UnavailableError, match="offline"):
        pull(pinned(), offline=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UnavailableError, match="OFFLINE"):
        pull(pinned())
    assert served.sent == 0


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


def test_a_disk_without_links(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """On exFAT, or on Windows without the right to make links, the snapshot holds the file; nobody fetches it twice."""

    def no_links(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    path = Path(pull(pinned()).model.path)
    assert path.read_bytes() == DATA
    assert not path.is_symlink()
    assert not list((repo_folder(REPO) / "blobs").iterdir())
    assert disk_plan(describe(pinned())).missing == ()
    assert pull(pinned(), again=True).fetched_bytes == 0
    assert len(served.ranges) == 1


def test_another_publisher_is_named_when_a_repo_is_gone(served: Hub) -> None:
    """Of a known model whose repo refuses, the same quantization elsewhere stands in the remedy; not when the network fails."""
    other = Elsewhere("other/tiny-GGUF", "Tiny.Q4_K_M.gguf", "list B")
    small = replace(other, file="Tiny.Q2_K.gguf")
    spec = pinned(elsewhere=(small, other), quant="q4_k_m")
    served.faults.status, served.faults.error_code = 404, "RepoNotFound"
    with pytest.raises(UnavailableError, match="no such repo") as caught:
        pull(spec, watcher=Told())
    assert (caught.value.remedy or "").endswith("-m hf:other/tiny-GGUF/Tiny.Q4_K_M.gguf")
    served.faults.status, served.faults.error_code = 500, ""
    with pytest.raises(UnavailableError, match="500") as caught:
        pull(spec, watcher=Told())
    assert "other/" not in (caught.value.remedy or "")
