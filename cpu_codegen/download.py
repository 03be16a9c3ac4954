"""ModelSpec → ModelFile by way of the network: resumable, checked by length and digest, into the Hugging Face cache layout.

Covered: what is here already, disk space, one process at a time per file, ranges that go on where the last one stopped
(huggingface-hub itself starts anew), retries, the check, the ledger. Not covered: HTTP and the hub's errors (models/hub.py).

A file gets its name only after its length and digest were found right; before that it is `blobs/<digest>.cpu-codegen.part`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from cpu_codegen import registry
from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.digests import CHUNK_BYTES, hash_file, remember
from cpu_codegen.models.hub import RemoteFile, open_range, remote_file
from cpu_codegen.models.layout import blob_lock, blob_path, disk_error, link_blob, part_path, size_of, snapshot_path
from cpu_codegen.models.ledger import Download, downloads, record
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.schema import ModelFile
from cpu_codegen.sizes import format_bytes

DISK_MARGIN_BYTES = 64 << 20
ATTEMPTS_WITHOUT_PROGRESS = 4
REPORT_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a download stands. `bytes_per_s` and `left_s` are None until they can be told."""

    name: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float | None = None
    left_s: float | None = None


def transfer_note(transfer: Transfer) -> str:
    """`412 MB of 1.12 GB  3.1 MB/s  ETA 3:48`."""
    parts = [f"{format_bytes(transfer.done_bytes)} of {format_bytes(transfer.total_bytes)}"]
    if transfer.bytes_per_s is not None:
        parts.append(f"{format_bytes(transfer.bytes_per_s)}/s")
    if transfer.left_s is not None and transfer.done_bytes < transfer.total_bytes:
        minutes, seconds = divmod(round(transfer.left_s), 60)
        parts.append(f"ETA {minutes}:{seconds:02d}")
    return "  ".join(parts)


class Watcher:
    """Is told how a download goes; does nothing unless overridden."""

    def moved(self, transfer: Transfer) -> None:
        """Bytes came, at most a few times a second."""

    def say(self, text: str) -> None:
        """Something worth a line: waiting for another process, a retry, first use of an unpinned file."""

    def pause(self, seconds: float) -> None:
        """Before a retry."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that is here now. `fetched_bytes` came over the network this time (0 = it was here)."""

    model: ModelFile
    fetched_bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pull would do: the parts that are not here, and whether the disk holds them."""

    missing: tuple[RemoteFile, ...]
    resumable_bytes: int
    disk_free_bytes: int

    @property
    def needed_bytes(self) -> int:
        """Bytes to come."""
        return sum(remote.size for remote in self.missing) - self.resumable_bytes

    @property
    def fits(self) -> bool:
        """Whether the disk holds what is to come, with a margin."""
        return not self.missing or self.needed_bytes + DISK_MARGIN_BYTES <= self.disk_free_bytes


def pull(spec: ModelSpec, *, offline: bool = False, again: bool = False, watcher: Watcher | None = None) -> Pulled:
    """Brings a model here and returns its checked file. `again` distrusts what is here and accepts a changed unpinned file."""
    watcher = watcher or Watcher()
    if not spec.repo or (not again and registry.is_local(spec)):
        with contextlib.suppress(IntegrityError) if spec.repo and not offline else contextlib.nullcontext():
            return Pulled(registry.local_file(spec), 0)
    if offline:
        raise UnavailableError(f"{spec.name} is not on this machine, and this is offline", remedy="drop --offline")
    remotes = describe(spec, again=again)
    plan = disk_plan(remotes)
    check_disk(plan)
    notes = () if spec.pinned else (f"{spec.name}: first use, not pinned; the digest that the hub names was checked",)
    fetched = sum(_fetch_part(spec, remote, again=again, watcher=watcher) for remote in remotes)
    for note in notes:
        watcher.say(note)
    exact = replace(
        spec,
        revision=remotes[0].commit,
        sizes=tuple(remote.size for remote in remotes),
        sha256s=tuple(remote.sha256 for remote in remotes) if all(remote.sha256 for remote in remotes) else (),
    )
    return Pulled(registry.local_file(exact), fetched, notes)


def describe(spec: ModelSpec, *, again: bool = False) -> list[RemoteFile]:
    """All parts as the hub describes them. IntegrityError when that is not what the registry or the ledger knows."""
    remotes = _parts(spec)
    for index, remote in enumerate(remotes):
        if spec.sha256s and remote.sha256 and remote.sha256 != spec.sha256s[index]:
            raise IntegrityError(
                f"the hub's {remote.file} has sha256 {remote.sha256[:12]}…, {spec.name} names {spec.sha256s[index][:12]}…",
                remedy=f"hf:{spec.repo}@{remote.commit[:12]}/{remote.file} takes the new file, as another model",
            )
        if spec.sizes and remote.size != spec.sizes[index]:
            raise IntegrityError(
                f"the hub's {remote.file} is {remote.size} bytes, {spec.name} names {spec.sizes[index]}",
                remedy=f"hf:{spec.repo}@{remote.commit[:12]}/{remote.file} takes the new file, as another model",
            )
        if not spec.pinned and not again:
            _refuse_changed(spec, remote)
    return remotes


def _parts(spec: ModelSpec) -> list[RemoteFile]:
    """Every part as of one commit: the branch may move while we ask."""
    first = remote_file(spec.repo, spec.files[0], spec.revision)
    return [first, *(remote_file(spec.repo, file, first.commit) for file in spec.files[1:])]


def _refuse_changed(spec: ModelSpec, remote: RemoteFile) -> None:
    """An unpinned file that we fetched before must still be the same: repos are re-quantized in place."""
    for old in downloads():
        same = (old.repo, old.file) == (remote.repo, remote.file) and old.state == "whole"
        if same and not spec.revision and remote.sha256 and old.sha256 != remote.sha256:
            raise IntegrityError(
                f"{remote.file} has changed on the hub since {old.utc[:10]}: {old.sha256[:12]}… → {remote.sha256[:12]}…",
                remedy=f"--again takes the new one; hf:{old.repo}@{old.commit[:12]}/{old.file} keeps the old one",
            )


def disk_plan(remotes: list[RemoteFile]) -> Plan:
    """Which parts are missing and what the disk has left."""
    missing = tuple(remote for remote in remotes if not blob_path(remote).is_file())
    resumable = sum(min(size_of(part_path(remote)), remote.size) for remote in missing)
    place = hub_cache()
    while not place.exists():
        place = place.parent
    return Plan(missing, resumable, shutil.disk_usage(place).free)


def check_disk(plan: Plan) -> None:
    """MachineError when the missing parts would not fit."""
    if not plan.fits:
        raise MachineError(
            f"the download needs {format_bytes(plan.needed_bytes)}, {format_bytes(plan.disk_free_bytes)} are free"
            f" at {hub_cache()}",
            remedy="free some space (cpu-codegen models rm MODEL), or set HF_HOME to another disk",
        )


def _fetch_part(spec: ModelSpec, remote: RemoteFile, *, again: bool, watcher: Watcher) -> int:
    """One file, under its lock; 0 when another process or an earlier day brought it."""
    with blob_lock(
        remote.repo, remote.etag, lambda: watcher.say(f"another process is fetching {remote.file}; waiting")
    ):
        blob = blob_path(remote)
        if blob.is_file():
            if blob.stat().st_size == remote.size and _digest_is_right(remote, hash_blob(remote, blob)):
                link_blob(remote, spec.revision)
                return 0
            blob.unlink()
        entry = _entry(spec, remote)
        record(entry)
        if again:
            part_path(remote).unlink(missing_ok=True)
        fetched = _Fetch(remote, watcher).run()
        os.replace(part_path(remote), blob)
        link = link_blob(remote, spec.revision)
        record(replace(entry, state="whole"))
        if remote.sha256:
            remember(link, remote.sha256)
        return fetched


class _Fetch:
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
        if self.done != self.remote.size or not _digest_is_right(self.remote, digest):
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


def _entry(spec: ModelSpec, remote: RemoteFile) -> Download:
    return Download(
        repo=remote.repo,
        file=remote.file,
        commit=remote.commit,
        sha256=remote.sha256,
        size_bytes=remote.size,
        blob=str(blob_path(remote)),
        part=str(part_path(remote)),
        link=str(snapshot_path(remote)),
        state="partial",
        pinned=spec.pinned,
        utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


# ── digests ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


def _digest_is_right(remote: RemoteFile, digest: str) -> bool:
    return digest == remote.etag
