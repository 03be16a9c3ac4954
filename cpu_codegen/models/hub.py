"""The Hugging Face hub: metadata, lists of files, ranges of bytes. The one border to huggingface-hub and the network.

Every failure comes out as UnavailableError with a remedy (refusals.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.models.hub_settings import endpoint, token
from cpu_codegen.models.hub_settings import is_offline as is_offline
from cpu_codegen.models.refusals import answers_that_make_sense, hub_errors, no_sense

# names of files, entity tags and commits become paths here: a server may not choose others
_SAFE_NAME = re.compile(r"(?!/)(?!.*\.\.)[^\\:*?\"<>|\x00-\x1f]{1,300}")
_TAG = re.compile(r"[0-9A-Za-z_-]{1,128}")
_SHA256, _GIT_BLOB = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")

METADATA_TIMEOUT_S = 15.0
READ_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repo as the hub describes it. `sha256` is empty for a file that is not in LFS."""

    repo: str
    file: str
    commit: str
    etag: str
    size: int
    url: str

    @property
    def sha256(self) -> str:
        """For LFS files the entity tag is the digest of the content."""
        return self.etag if _SHA256.fullmatch(self.etag) else ""

    @property
    def is_checkable(self) -> bool:
        """Whether the entity tag is a digest: sha256, or git's of a small file outside of LFS."""
        return bool(_SHA256.fullmatch(self.etag) or _GIT_BLOB.fullmatch(self.etag))


def remote_file(repo: str, file: str, revision: str = "") -> RemoteFile:
    """Size, digest and commit of a file."""
    what = f"{repo}/{file}"
    with hub_errors(what), answers_that_make_sense(what):
        from huggingface_hub import get_hf_file_metadata

        url = _url(repo, file, revision or "main")
        found = get_hf_file_metadata(url, token=token(), timeout=METADATA_TIMEOUT_S, endpoint=endpoint())
    if found.etag is None or found.size is None or found.commit_hash is None:
        raise UnavailableError(
            f"the hub's answer for {what} names no size, digest or commit",
            remedy="check HF_ENDPOINT, or a proxy in between",
        )
    if not _TAG.fullmatch(found.etag) or not _TAG.fullmatch(found.commit_hash) or found.size < 0:
        raise no_sense(what)
    return RemoteFile(repo, file, found.commit_hash, found.etag, found.size, _url(repo, file, found.commit_hash))


def list_files(repo: str, revision: str = "") -> list[str]:
    """Names of all files of a repo."""
    with hub_errors(repo), answers_that_make_sense(repo):
        from huggingface_hub import HfApi

        api = HfApi(endpoint=endpoint(), token=token())
        return [file for file in api.list_repo_files(repo, revision=revision or None) if _SAFE_NAME.fullmatch(file)]


@contextmanager
def open_range(remote: RemoteFile, start: int, end: int | None = None) -> Iterator[tuple[Iterator[bytes], int]]:
    """The bytes of a file from `start` (to before `end`) as they come, and how many come before them in vain.

    A server (or a proxy in between) that ignores ranges sends all of it: a download passes over its beginning, `start` bytes.
    IntegrityError when the server sends another range.
    """
    wanted = f"bytes={start}-{'' if end is None else end - 1}"
    with hub_errors(f"{remote.repo}/{remote.file}"):
        from huggingface_hub import utils

        tools: Any = utils  # these three are documented, and not marked as exported
        headers = tools.build_hf_headers(token=token()) | {"Accept-Encoding": "identity", "Range": wanted}
        timeout: Any = READ_TIMEOUT_S
        with tools.get_session().stream("GET", remote.url, headers=headers, timeout=timeout) as response:
            tools.hf_raise_for_status(response)
            again = _bytes_again(remote, response, start, is_rest=end is None)
            yield _without(response.iter_raw(), again), again


def _without(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """What comes after the first `count` bytes."""
    for chunk in chunks:
        if len(chunk) > count:
            yield chunk[count:]
        count = max(count - len(chunk), 0)


def _bytes_again(remote: RemoteFile, response: Any, start: int, *, is_rest: bool) -> int:
    """How many bytes come before those that were asked for: 0, or all of them where the whole file comes instead of its rest."""
    if response.status_code == 200:
        _refuse_another_length(remote, response)
        if is_rest or start == 0:
            return start
    answered = str(response.headers.get("Content-Range", ""))
    if response.status_code != 206 or not answered.startswith(f"bytes {start}-"):
        raise UnavailableError(
            f"the server does not send {remote.file} from byte {start}",
            remedy="try again; --again starts from the beginning",
        )
    total = answered.rpartition("/")[2]
    if total.isdigit() and int(total) != remote.size:
        raise IntegrityError(
            f"{remote.file} is {total} bytes there, {remote.size} were announced",
            remedy="cpu-codegen models pull --again",
        )
    return 0


def _refuse_another_length(remote: RemoteFile, response: Any) -> None:
    """A login page of a train or hotel answers 200, too; its bytes must not become the beginning of a file."""
    length = str(response.headers.get("Content-Length", ""))
    if length.isdigit() and int(length) != remote.size:
        raise UnavailableError(
            f"the server answers with {length} bytes where {remote.file} has {remote.size}",
            remedy="look for a login page or proxy in between, or a bad mirror (HF_ENDPOINT); then the same command again",
        )


class RemoteSource:
    """A file on the hub as a source of bytes: a GGUF's header costs a few range requests."""

    def __init__(self, remote: RemoteFile) -> None:
        self.remote, self.name, self.size = remote, remote.file, remote.size

    def read_at(self, offset: int, count: int) -> bytes:
        """One range request; stops reading as soon as it has enough, should the server send more."""
        end = min(offset + count, self.size)
        parts: list[bytes] = []
        with open_range(self.remote, offset, end) as (chunks, _):
            for chunk in chunks:
                parts.append(chunk)
                if sum(map(len, parts)) >= end - offset:
                    break
        return b"".join(parts)[: end - offset]


def _url(repo: str, file: str, revision: str) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(repo, file, revision=revision, endpoint=endpoint())
