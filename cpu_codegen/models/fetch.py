"""One file of the hub into its part: goes on from what is there, retries while something arrives, and checks length and digest.

Not covered: where the part goes when it is whole, and what was here before (download.py).
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import IO, Any

from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.models.digests import CHUNK_BYTES, hash_file
from cpu_codegen.models.hub import RemoteFile, open_range
from cpu_codegen.models.layout import disk_error, part_path
from cpu_codegen.models.refusals import refused_with, wait_wanted_s
from cpu_codegen.models.transfer import Transfer, Watcher
from cpu_codegen.sizes import format_bytes

ATTEMPTS_WITHOUT_PROGRESS = 10
LONGEST_PAUSE_S = 60.0
"""Between two attempts; all pauses of a download on which nothing more comes are five minutes: a tunnel, not the night."""

LONGEST_WANTED_S = 300.0
"""A server that asks for a longer wait is left to the user."""

REPORT_EVERY_S = 0.2
SYNC_EVERY_BYTES = 128 << 20
"""What a power cut may cost. Small machines also write in the background then, not all at the end."""

ZEROS_BYTES = 4096
"""So many zeros at the end of a part were most likely never written."""


class Fetch:
    """Brings one file into its part: goes on from what is there, retries while something arrives, then checks."""

    def __init__(self, remote: RemoteFile, watcher: Watcher) -> None:
        self.remote, self.watcher = remote, watcher
        self.seen = _hasher(remote)
        self.done = self.resumed = self.synced = 0
        self.began = self.told = time.monotonic()

    def run(self) -> int:
        """Bytes that came over the network."""
        part = part_path(self.remote)
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("a+b") as file:
                self._take_up(file)
                self._until_whole(file)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise disk_error(error, part) from error
        digest = self.seen.hexdigest()
        if self.done != self.remote.size or not is_right(self.remote, digest):
            part.unlink(missing_ok=True)
            raise IntegrityError(
                f"{self.remote.file} came as {self.done} bytes with digest {digest[:12]}…, {self.remote.size} bytes with"
                f" {self.remote.etag[:12]}… were announced; it was thrown away",
                remedy="the same command again; if it repeats, a proxy or mirror in between is at fault (HF_ENDPOINT)",
            )
        return self.done - self.resumed

    def _take_up(self, file: IO[bytes]) -> None:
        """Hashes what an earlier attempt left; a part that is too long is worthless."""
        left = file.seek(0, os.SEEK_END)
        kept = _written(file, left) if left <= self.remote.size else 0
        file.truncate(kept)
        if kept:
            self.watcher.say(f"{self.remote.file}: going on at {_of(kept, self.remote)}")
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            self.seen.update(chunk)
            self.done += len(chunk)
        self.resumed = self.synced = self.done
        self.began = self.told = time.monotonic()

    def _until_whole(self, file: IO[bytes]) -> None:
        futile = 0
        while self.done < self.remote.size:
            before = self.done
            try:
                self._receive(file)
                problem = UnavailableError(
                    f"{self.remote.file}: the connection was cut at {_of(self.done, self.remote)}",
                    remedy="the same command again; it goes on there",
                )
            except UnavailableError as error:
                problem = error
            if self.done >= self.remote.size:
                return
            futile = 0 if self.done > before else futile + 1
            wanted_s = wait_wanted_s(problem.__cause__)
            if futile >= ATTEMPTS_WITHOUT_PROGRESS or wanted_s > LONGEST_WANTED_S or not _may_pass(problem):
                raise problem
            self.watcher.say(f"{problem}; going on from {format_bytes(self.done)}")
            self.watcher.pause(max(min(2.0**futile, LONGEST_PAUSE_S), wanted_s))

    def _receive(self, file: IO[bytes]) -> None:
        with open_range(self.remote, self.done) as (chunks, again):
            if again:
                self.watcher.say(
                    f"the server sends only all of {self.remote.file}: {format_bytes(again)} come once more"
                )
            for chunk in chunks:
                # more than announced is never stored; the length check after the loop would come too late for the disk
                usable = chunk[: self.remote.size - self.done]
                self._refuse_no_gguf(usable)
                file.write(usable)
                self.seen.update(usable)
                self.done += len(usable)
                self._secure(file)
                self._tell()
                if len(usable) < len(chunk):
                    raise IntegrityError(
                        f"the server sends more than the {self.remote.size} bytes of {self.remote.file}",
                        remedy="the same command again; HF_ENDPOINT may name a bad mirror",
                    )

    def _refuse_no_gguf(self, chunk: bytes) -> None:
        """A login page without a length must not become the beginning of gigabytes that are thrown away in the end."""
        if self.done == 0 and self.remote.file.lower().endswith(".gguf") and chunk[:4] != b"GGUF"[: len(chunk)]:
            raise UnavailableError(
                f"the server sends something else under the name of {self.remote.file}",
                remedy="look for a login page or proxy in between; then the same command again",
            )

    def _secure(self, file: IO[bytes]) -> None:
        """Onto the disk, now and then."""
        if self.done - self.synced >= SYNC_EVERY_BYTES:
            file.flush()
            os.fsync(file.fileno())
            self.synced = self.done

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self.told < REPORT_EVERY_S and self.done < self.remote.size:
            return
        self.told = now
        elapsed, fresh = now - self.began, self.done - self.resumed
        rate = fresh / elapsed if elapsed > 0.5 and fresh else None
        left = (self.remote.size - self.done) / rate if rate else None
        self.watcher.moved(Transfer(self.remote.file, self.done, self.remote.size, rate, left))


def _may_pass(error: UnavailableError) -> bool:
    """Whether a retry can help: a cut or refused connection, a server in trouble; not a missing or gated file."""
    status = refused_with(error)
    return status is None or status in (408, 429) or status >= 500


def _written(file: IO[bytes], length: int) -> int:
    """Bytes before the zeros that a power cut left at the end; few zeros are weights like any others."""
    end = length
    while end:
        start = max(end - CHUNK_BYTES, 0)
        file.seek(start)
        kept = len(file.read(end - start).rstrip(b"\0"))
        end = start + kept
        if kept:
            break
    return end if length - end >= ZEROS_BYTES else length


def _of(done: int, remote: RemoteFile) -> str:
    return f"{format_bytes(done)} of {format_bytes(remote.size)}"


def _hasher(remote: RemoteFile) -> Any:
    """sha256 for LFS files; git's own blob hash for small files outside of LFS."""
    if remote.sha256:
        return hashlib.sha256()
    seen = hashlib.sha1(usedforsecurity=False)
    seen.update(f"blob {remote.size}\0".encode())
    return seen


def hash_blob(remote: RemoteFile, path: Path) -> str:
    """The digest of a file in the way that its entity tag is made."""
    if remote.sha256:
        return hash_file(path)
    seen = _hasher(remote)
    seen.update(path.read_bytes())
    return str(seen.hexdigest())


def is_right(remote: RemoteFile, digest: str) -> bool:
    """Whether a digest is the one that the hub names."""
    return digest == remote.etag
