"""No byte that is not the announced one ends in a whole file, and no name that a server chooses becomes a path here."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cpu_codegen.download import pull
from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.registry import resolve
from tests.models.downloads import DATA, DEAD, FILE, REPO, RESOLVED, Told, names_in_cache, pinned
from tests.models.support import Hub, sha256, tiny_gguf


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
    """More than was announced is neither stored nor accepted, whether the server tells the length of its answer or not."""
    served.faults.announce_length = len(DATA) - 4096
    served.faults.ignore_range = True
    for told_length, error, says in ((True, UnavailableError, "answers with"), (False, IntegrityError, "more than")):
        served.faults.hide_length = not told_length
        with pytest.raises(error, match=says):
            pull(RESOLVED, watcher=Told())
        assert names_in_cache() == []
        assert all(path.stat().st_size <= len(DATA) - 4096 for path in hub_cache().rglob("*.part"))


def test_damaged_copy_is_replaced(served: Hub) -> None:
    """A pinned file whose bytes rotted on the disk is fetched again."""
    path = Path(pull(pinned()).model.path).resolve()
    path.write_bytes(b"x" * len(DATA))
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("answer", ["bytes 0-9/200", "bytes 29999-200000/200320", "", "items 30000-1/2"])
def test_lies_about_the_range(served: Hub, answer: str) -> None:
    """Whatever a server claims of its range, no wrong byte ends in a whole file."""
    served.faults.cut_after = [30_000]
    served.faults.content_range = [None, *[answer for _ in DEAD]]
    with pytest.raises((UnavailableError, IntegrityError)):
        pull(pinned(), watcher=Told())
    assert names_in_cache() == []


def test_hostile_names_from_the_hub(served: Hub) -> None:
    """A hub cannot choose paths here: neither by an entity tag nor by a file's name."""
    served.faults.announce_sha256 = "../../evil"
    with pytest.raises(UnavailableError, match="no sense"):
        pull(RESOLVED, watcher=Told())
    served.add(REPO, "../../evil-q8_0.gguf", DATA)
    assert "evil" not in " ".join(resolve(f"hf:{REPO}").files)


def test_a_mirror_with_tags_of_its_own(served: Hub) -> None:
    """Its tags are no digests: a pinned file is checked by its pin; one that nothing is known of is not fetched at all."""
    served.faults.announce_sha256 = "5f3e-12ab"
    with pytest.raises(UnavailableError, match="names no digest"):
        pull(RESOLVED, watcher=Told())
    assert served.sent == 0
    assert pull(pinned(), watcher=Told()).model.sha256 == sha256(DATA)


def test_a_pin_is_not_got_round_by_another_kind_of_tag(served: Hub) -> None:
    """A tag like git's, of files outside of LFS, does not replace the registry's sha256."""
    forged = tiny_gguf(50_000, fill=0.25)
    served.add(REPO, FILE, forged)
    served.faults.announce_sha256 = hashlib.sha1(b"blob %d\0" % len(forged) + forged).hexdigest()
    with pytest.raises(IntegrityError, match="thrown away"):
        pull(pinned(), watcher=Told())
    assert names_in_cache() == names_in_cache("*.part") == []


def test_a_small_file_outside_of_lfs(served: Hub) -> None:
    """Unpinned, it is checked by git's own digest, and found again by that name."""
    served.faults.announce_sha256 = hashlib.sha1(b"blob %d\0" % len(DATA) + DATA).hexdigest()
    path = Path(pull(RESOLVED, watcher=Told()).model.path)
    assert path.resolve().name == served.faults.announce_sha256
    assert path.read_bytes() == DATA
