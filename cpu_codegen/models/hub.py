"""The Hugging Face hub: metadata, lists of files, ranges of bytes. The one border to huggingface-hub and the network.

Every failure comes out as UnavailableError with a remedy. HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE are read at each call, not once at
import as huggingface-hub does, so that one process may serve several endpoints.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import IntegrityError, UnavailableError

# names of files, entity tags and commits become paths here: a server may not choose others
_SAFE_NAME = re.compile(r"(?!/)(?!.*\.\.)[^\\:*?\"<>|\x00-\x1f]{1,300}")
_TAG = re.compile(r"[0-9A-Za-z_-]{1,128}")

METADATA_TIMEOUT_S = 15.0
READ_TIMEOUT_S = 60.0


def is_offline() -> bool:
    """Whether the environment forbids the network."""
    return any(
        os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


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
        is_digest = len(self.etag) == 64 and all(c in "0123456789abcdef" for c in self.etag)
        return self.etag if is_digest else ""


def remote_file(repo: str, file: str, revision: str = "") -> RemoteFile:
    """Size, digest and commit of a file."""
    what = f"{repo}/{file}"
    with hub_errors(what), _answers_that_make_sense(what):
        from huggingface_hub import get_hf_file_metadata

        url = _url(repo, file, revision or "main")
        found = get_hf_file_metadata(url, token=_token(), timeout=METADATA_TIMEOUT_S, endpoint=_endpoint())
    if found.etag is None or found.size is None or found.commit_hash is None:
        raise UnavailableError(
            f"the hub's answer for {what} names no size, digest or commit",
            remedy="check HF_ENDPOINT, or a proxy in between",
        )
    if not _TAG.fullmatch(found.etag) or not _TAG.fullmatch(found.commit_hash) or found.size < 0:
        raise _no_sense(what)
    return RemoteFile(repo, file, found.commit_hash, found.etag, found.size, _url(repo, file, found.commit_hash))


def list_files(repo: str, revision: str = "") -> list[str]:
    """Names of all files of a repo."""
    with hub_errors(repo), _answers_that_make_sense(repo):
        from huggingface_hub import HfApi

        api = HfApi(endpoint=_endpoint(), token=_token())
        return [file for file in api.list_repo_files(repo, revision=revision or None) if _SAFE_NAME.fullmatch(file)]


@contextmanager
def open_range(remote: RemoteFile, start: int, end: int | None = None) -> Iterator[Iterator[bytes]]:
    """The bytes of a file from `start` (to before `end`) as they come. IntegrityError when the server sends another range."""
    wanted = f"bytes={start}-{'' if end is None else end - 1}"
    with hub_errors(f"{remote.repo}/{remote.file}"):
        from huggingface_hub import utils

        tools: Any = utils  # these three are documented, and not marked as exported
        headers = tools.build_hf_headers(token=_token()) | {"Accept-Encoding": "identity", "Range": wanted}
        timeout: Any = READ_TIMEOUT_S
        with tools.get_session().stream("GET", remote.url, headers=headers, timeout=timeout) as response:
            tools.hf_raise_for_status(response)
            _check_range(remote, response, start)
            yield response.iter_raw()


def _check_range(remote: RemoteFile, response: Any, start: int) -> None:
    """A server may ignore Range and send all of it: fine from 0, wrong from anywhere else."""
    if response.status_code == 200 and start == 0:
        return
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


class RemoteSource:
    """A file on the hub as a source of bytes: a GGUF's header costs a few range requests."""

    def __init__(self, remote: RemoteFile) -> None:
        self.remote, self.name, self.size = remote, remote.file, remote.size

    def read_at(self, offset: int, count: int) -> bytes:
        """One range request; stops reading as soon as it has enough, should the server send more."""
        end = min(offset + count, self.size)
        parts: list[bytes] = []
        with open_range(self.remote, offset, end) as chunks:
            for chunk in chunks:
                parts.append(chunk)
                if sum(map(len, parts)) >= end - offset:
                    break
        return b"".join(parts)[: end - offset]


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _token() -> str | bool | None:
    """The environment's token, else the one that `hf auth login` stored."""
    return os.environ.get("HF_TOKEN") or None


def _url(repo: str, file: str, revision: str) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(repo, file, revision=revision, endpoint=_endpoint())


@contextmanager
def _answers_that_make_sense(what: str) -> Iterator[None]:
    """A login page of a network, or a mirror that speaks another protocol, ends in errors of parsers."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_sense(what) from error
    except ValueError as error:
        if type(error).__module__.startswith("huggingface_hub"):
            raise
        raise _no_sense(what) from error


def _no_sense(what: str) -> UnavailableError:
    return UnavailableError(
        f"the hub's answer for {what} makes no sense", remedy="check HF_ENDPOINT, or a proxy or login page in between"
    )


@contextmanager
def hub_errors(what: str) -> Iterator[None]:
    """Maps everything that huggingface-hub and its HTTP client raise to UnavailableError."""
    if is_offline():
        raise UnavailableError(
            f"{what} is not here, and HF_HUB_OFFLINE forbids the network", remedy="unset HF_HUB_OFFLINE"
        )
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise UnavailableError("huggingface-hub is not installed", remedy="pip install huggingface-hub") from error
    try:
        yield
    except errors.GatedRepoError as error:
        raise UnavailableError(
            f"{what} is gated: its publisher asks you to accept terms first",
            remedy="accept them on the repo's page, then set HF_TOKEN (a read token); or take a re-upload that is not gated",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UnavailableError(
            f"{what}: no such repo, or it is private", remedy="check the spelling; a private one needs HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UnavailableError(f"{what}: no such revision", remedy="drop @revision, or take one that exists") from error
    except errors.EntryNotFoundError as error:
        raise UnavailableError(
            f"{what}: no such file in that repo", remedy="hf:user/repo:quant shows the choices"
        ) from error
    except errors.HfHubHTTPError as error:
        raise _http_error(what, error) from error
    except errors.OfflineModeIsEnabled as error:
        raise UnavailableError(f"{what} is not here, and this is offline", remedy="unset HF_HUB_OFFLINE") from error
    except errors.HFValidationError as error:
        raise UnavailableError(f"{what} is no name on the hub", remedy="hf:user/repo:quant") from error
    except Exception as error:
        if not _is_network_error(error):
            raise
        raise UnavailableError(
            f"{what}: the connection failed ({type(error).__name__})",
            remedy="the same command again; it goes on where it stopped. HF_ENDPOINT names a mirror",
        ) from error


def _http_error(what: str, error: Any) -> UnavailableError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return UnavailableError(
            f"{what}: the hub refuses access ({status})", remedy="set HF_TOKEN to a read token that may see this repo"
        )
    if status == 404:
        return UnavailableError(f"{what}: not found on the hub", remedy="check the spelling")
    if status == 416:
        return UnavailableError(f"{what} is shorter than announced", remedy="cpu-codegen models pull MODEL --again")
    if status == 429:
        wait = error.response.headers.get("Retry-After", "")
        pause = f"wait {wait} s" if wait.isdigit() else "wait some minutes"
        return UnavailableError(
            f"{what}: the hub says too many requests (429)", remedy=f"{pause}; with HF_TOKEN the limit is higher"
        )
    return UnavailableError(f"{what}: the hub failed ({status})", remedy="the same command later; what is here is kept")


def _is_network_error(error: Exception) -> bool:
    """The HTTP client's own errors (httpx or httpx2, by version of huggingface-hub), and the system's."""
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return bool(modules & {"httpx", "httpx2", "httpcore", "httpcore2"}) or isinstance(
        error, ConnectionError | TimeoutError
    )
