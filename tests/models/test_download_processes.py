"""Downloads in processes of their own: killed, two at once, on a disk that fills up."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cpu_codegen.download import pull
from cpu_codegen.errors import MachineError
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.fetch import Fetch
from tests.models.downloads import DATA, NAME, Told, names_in_cache, pinned
from tests.models.support import Hub

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


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file size there")
def test_a_file_may_not_grow(served: Hub) -> None:
    """Where a file may be no larger (FAT32, ulimit) the part is kept, exit 3 says what it is, and elsewhere the pull goes on."""
    import resource

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    full = subprocess.run(PULL, capture_output=True, text=True, check=False, preexec_fn=small_files)
    assert full.returncode == 3, full.stderr
    assert "may be larger than 100 kB" in full.stderr
    assert "FAT32" in full.stderr
    assert names_in_cache() == []
    assert 0 < part_bytes() <= 100_000
    subprocess.run(PULL, capture_output=True, check=True, env=dict(os.environ))
    assert served.ranges[-1] > 0


def test_full_disk(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up keeps the part and says so; with space again the pull goes on there."""

    def full(self: Fetch, _: object) -> None:
        if self.done > 60_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as filling:
        filling.setattr(Fetch, "_secure", full)
        with pytest.raises(MachineError, match="the disk is full") as caught:
            pull(pinned(), watcher=Told())
    assert "goes on there" in (caught.value.remedy or "")
    assert names_in_cache() == []
    kept = part_bytes()
    assert 60_000 < kept < len(DATA)
    assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA) - kept
