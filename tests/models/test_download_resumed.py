"""Downloads that were interrupted go on where they stopped, whatever the server and the power did meanwhile."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from cpu_codegen.download import describe, pull
from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.models import fetch
from cpu_codegen.models import hub as hub_module
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.fetch import ZEROS_BYTES
from cpu_codegen.models.hub import RemoteSource
from cpu_codegen.models.layout import part_path
from cpu_codegen.registry import is_local
from tests.models.downloads import DATA, DEAD, FILE, REPO, RESOLVED, Told, names_in_cache, pinned
from tests.models.support import Hub, sha256, tiny_gguf


def left(content: bytes) -> Path:
    """A part that an earlier attempt left."""
    part = part_path(describe(pinned())[0])
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    return part


def test_cut_connection_goes_on(served: Hub) -> None:
    """A cut connection is taken up where it ended, in the same call."""
    served.faults.cut_after = [100_000, 20_000]
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA)
    assert served.ranges == [0, 100_000, 120_000]
    assert any("going on from" in line for line in told.lines)


def test_cut_for_good_resumes_later(served: Hub) -> None:
    """When nothing more comes the part stays, nothing is usable, and the next pull fetches only the rest."""
    served.faults.cut_after = [60_000, *DEAD]
    with pytest.raises(UnavailableError, match=r"cut|failed"):
        pull(pinned(), watcher=Told())
    assert not is_local(pinned())
    assert names_in_cache() == []
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA) - 60_000
    assert "going on at 60 kB of 200 kB" in told.lines[0]
    assert served.ranges[-1] == 60_000


def test_server_without_ranges(served: Hub) -> None:
    """A server that ignores ranges is fine for a whole file and an error for a rest."""
    served.faults.ignore_range = True
    assert pull(pinned()).fetched_bytes == len(DATA)


def test_rest_from_a_server_without_ranges(served: Hub) -> None:
    """A server (or a proxy) that sends all of a file instead of its rest: the beginning is passed over, and that is said."""
    served.faults.cut_after = [50_000, *DEAD]
    with pytest.raises(UnavailableError):
        pull(pinned(), watcher=Told())
    served.faults.cut_after = []
    served.faults.ignore_range = True
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA) - 50_000
    assert any("come once more" in line for line in told.lines)
    assert [path.read_bytes() for path in names_in_cache()] == [DATA]


def test_a_header_is_not_read_through_a_whole_file(served: Hub) -> None:
    """For a few bytes of a header nobody passes over gigabytes: such a server is refused there."""
    served.faults.ignore_range = True
    source = RemoteSource(describe(pinned())[0])
    assert source.read_at(0, 4) == b"GGUF"
    with pytest.raises(UnavailableError, match="from byte 4"):
        source.read_at(4, 4)


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


def test_rest_of_a_damaged_part(served: Hub) -> None:
    """A part that rotted between two attempts is found at the end, thrown away, and the next pull is right."""
    served.faults.cut_after = [60_000, *DEAD]
    with pytest.raises(UnavailableError):
        pull(pinned(), watcher=Told())
    (part,) = hub_cache().rglob("*.part")
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(IntegrityError, match="thrown away"):
        pull(pinned(), watcher=Told())
    assert not part.exists()
    assert names_in_cache() == []
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)


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


def test_a_tunnel_is_waited_out(served: Hub) -> None:
    """Pauses double up to a minute, five minutes in all; one byte that comes begins the patience anew."""
    served.faults.cut_after = [10_000, *DEAD[:-1], 5_000, *DEAD]
    told = Told()
    with pytest.raises(UnavailableError, match=r"cut|failed"):
        pull(pinned(), watcher=told)
    waits = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert told.pauses_s == [*waits, *waits]
    assert sum(waits) == pytest.approx(300, abs=5)


@pytest.mark.parametrize("zeros", [ZEROS_BYTES, 50_000, 0])
def test_zeros_that_a_power_cut_left(served: Hub, zeros: int) -> None:
    """A file whose length reached the disk before its bytes did ends in zeros: they are fetched, not thrown away with the rest."""
    left(DATA[:60_000] + bytes(zeros))
    assert pull(pinned(), watcher=Told()).model.sha256 == sha256(DATA)
    assert served.ranges == [60_000]


def test_nothing_but_zeros(served: Hub) -> None:
    """Then it begins at the beginning."""
    left(bytes(100_000))
    assert pull(pinned(), watcher=Told()).model.sha256 == sha256(DATA)
    assert served.ranges == [0]


def test_weights_that_are_zero(hub: Hub) -> None:
    """Zeros that belong to the file are nothing special."""
    zeros = tiny_gguf(20_000, fill=0.0)
    hub.add(REPO, FILE, zeros)
    spec = pinned(sha256s=(sha256(zeros),), sizes=(len(zeros),))
    hub.faults.cut_after = [60_000, *DEAD]
    with pytest.raises(UnavailableError):
        pull(spec, watcher=Told())
    assert pull(spec, watcher=Told()).model.sha256 == sha256(zeros)


def test_bytes_reach_the_disk_now_and_then(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only at the end: what a power cut may cost has a bound."""
    synced: list[int] = []
    monkeypatch.setattr(fetch, "SYNC_EVERY_BYTES", 60_000)
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    pull(pinned(), watcher=Told())
    parts = [size for size in synced if size >= 60_000]
    assert len(parts) >= 3
    assert parts[-1] == len(DATA)
    assert all(later - earlier < 2 * 60_000 for earlier, later in pairwise(parts))


def test_a_file_that_changed_meanwhile_is_another_file(served: Hub) -> None:
    """Under the same name: nothing of the old part is mixed in, because parts bear the digest of what they become."""
    served.faults.cut_after = [60_000, *DEAD]
    with pytest.raises(UnavailableError):
        pull(RESOLVED, watcher=Told())
    changed = tiny_gguf(50_000, fill=0.25)
    served.add(REPO, FILE, changed)
    served.commit = "b" * 40
    assert pull(RESOLVED, watcher=Told()).model.sha256 == sha256(changed)
    assert served.ranges[-1] == 0
