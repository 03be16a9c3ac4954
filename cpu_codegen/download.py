"""ModelSpec → ModelFile by way of the network: resumable, checked by length and digest, into the Hugging Face cache layout.

Covered: what is here already, disk space, one process at a time per file, ranges that go on where the last one stopped
(huggingface-hub itself starts anew), retries, the check, the ledger. Not covered: HTTP and the hub's errors (models/hub.py).

A file gets its name only after its length and digest were found right; before that it is `blobs/<digest>.cpu-codegen.part`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cpu_codegen import registry
from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.digests import remember
from cpu_codegen.models.fetch import Fetch, hash_blob, is_right
from cpu_codegen.models.hub import RemoteFile, remote_file
from cpu_codegen.models.layout import (
    blob_lock,
    blob_path,
    disk_error,
    link_blob,
    part_path,
    size_of,
    snapshot_path,
    whole_path,
)
from cpu_codegen.models.ledger import Download, downloads, record
from cpu_codegen.models.quants import quant_of
from cpu_codegen.models.refusals import refused_with
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.models.transfer import Watcher
from cpu_codegen.schema import ModelFile
from cpu_codegen.sizes import format_bytes

DISK_MARGIN_BYTES = 64 << 20


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
    try:
        remotes = describe(spec, again=again)
    except UnavailableError as error:
        if other := _elsewhere(error, spec):
            raise UnavailableError(str(error), remedy=f"{error.remedy}; or another publisher's: -m {other}") from error
        raise
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


def _elsewhere(error: UnavailableError, spec: ModelSpec) -> str:
    """Of a repo that is gone or gated: another publisher's file, where the registry knows one of that quantization, else ""."""
    if refused_with(error) not in (401, 403, 404):
        return ""
    return next((one.name for one in spec.elsewhere if quant_of(one.file) == spec.quant), "")


def describe(spec: ModelSpec, *, again: bool = False) -> list[RemoteFile]:
    """All parts as the hub describes them. IntegrityError when that is not what the registry or the ledger knows."""
    remotes = [_with_digest(spec, index, remote) for index, remote in enumerate(_parts(spec))]
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


def _with_digest(spec: ModelSpec, index: int, remote: RemoteFile) -> RemoteFile:
    """A mirror may tag files in a way of its own: then the registry's digest is what counts. UnavailableError without any.

    So a pinned file is checked by its pin alone, also where the hub's tag is that of a file outside of LFS.
    """
    if spec.sha256s and not remote.sha256:
        return replace(remote, etag=spec.sha256s[index])
    if not remote.is_checkable:
        raise UnavailableError(
            f"the server names no digest of {remote.file}, so that nothing that it sends can be checked",
            remedy="HF_ENDPOINT with a mirror that speaks the hub's protocol, or a model whose sha256 the registry has",
        )
    return remote


def _refuse_changed(spec: ModelSpec, remote: RemoteFile) -> None:
    """An unpinned file that we fetched before must still be the same: repos are re-quantized in place."""
    for old in downloads():
        same = (old.repo, old.file) == (remote.repo, remote.file) and old.state == "whole"
        if same and spec.revision in ("", "main") and remote.sha256 and old.sha256 != remote.sha256:
            raise IntegrityError(
                f"{remote.file} has changed on the hub since {old.utc[:10]}: {old.sha256[:12]}… → {remote.sha256[:12]}…",
                remedy=f"--again takes the new one; hf:{old.repo}@{old.commit[:12]}/{old.file} keeps the old one",
            )


def disk_plan(remotes: list[RemoteFile]) -> Plan:
    """Which parts are missing and what the disk has left."""
    missing = tuple(remote for remote in remotes if whole_path(remote) is None)
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
        try:
            return _fetch_locked(spec, remote, again=again, watcher=watcher)
        except OSError as error:
            raise disk_error(error, part_path(remote)) from error


def _fetch_locked(spec: ModelSpec, remote: RemoteFile, *, again: bool, watcher: Watcher) -> int:
    here = whole_path(remote)
    if here is not None:
        if here.stat().st_size == remote.size and is_right(remote, hash_blob(remote, here)):
            link_blob(remote, spec.revision)
            return 0
        here.unlink()
    entry = _entry(spec, remote)
    record(entry)
    if again:
        part_path(remote).unlink(missing_ok=True)
    fetched = Fetch(remote, watcher).run()
    os.replace(part_path(remote), blob_path(remote))
    link = link_blob(remote, spec.revision)
    record(replace(entry, state="whole"))
    if remote.sha256:
        remember(link, remote.sha256)
    return fetched


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
