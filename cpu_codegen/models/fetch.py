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
from cpu_codegen.models.transfer import Transfer, Watcher
from cpu_codegen.sizes import format_bytes

ATTEMPTS_WITHOUT_PROGRESS = 4
REPORT_EVERY_S = 0.2


class Fetch:
    """Brings one file into its part: goes on from what is there, retries while something arrives, then checks."""

    def __init__(self, remote: RemoteFile, watcher: Watcher) -> None:
        self.remote, self.watcher = remote, watcher
        self.seen = _hasher(remote)
        self.done = self.resumed = 0
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
        file.seek(0, os.SEEK_END)
        if file.tell() > self.remote.size:
            file.truncate(0)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            self.seen.update(chunk)
            self.done += len(chunk)
        self.resumed = self.done

    def _until_whole(self, file: IO[bytes]) -> None:
        futile = 0
        while self.done < self.remote.size:
            before = self.done
            try:
                self._receive(file)
                problem = UnavailableError(
                    f"{self.remote.file}: the connection was cut at {format_bytes(self.done)} of"
                    f" {format_bytes(self.remote.size)}",
                    remedy="the same command again; it goes on there",
                )
            except UnavailableError as error:
                problem = error
            if self.done >= self.remote.size:
                return
            futile = 0 if self.done > before else futile + 1
            if futile >= ATTEMPTS_WITHOUT_PROGRESS or not _may_pass(problem):
                raise problem
            self.watcher.say(f"{problem}; going on from {format_bytes(self.done)}")
            self.watcher.pause(float(2**futile))

    def _receive(self, file: IO[bytes]) -> None:
        with open_range(self.remote, self.done) as chunks:
            for chunk in chunks:
                # more than announced is never stored; the length check after the loop would come too late for the disk
                usable = chunk[: self.remote.size - self.done]
                file.write(usable)
                self.seen.update(usable)
                self.done += len(usable)
                self._tell()
                if len(usable) < len(chunk):
                    raise IntegrityError(
                        f"the server sends more than the {self.remote.size} bytes of {self.remote.file}",
                        remedy="the same command again; HF_ENDPOINT may name a bad mirror",
                    )

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
    status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
    return status is None or status == 429 or status >= 500


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
