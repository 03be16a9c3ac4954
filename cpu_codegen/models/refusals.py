"""How the hub and the network refuse, in our words: every failure an UnavailableError with a remedy.

Covered: huggingface-hub's errors, its HTTP client's (by whatever name that goes), answers of something that is no hub, and how long
a server asks to wait. Not covered: bytes that are not those announced (fetch.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from cpu_codegen.errors import UnavailableError
from cpu_codegen.models.hub_settings import has_token, is_offline


@contextmanager
def answers_that_make_sense(what: str) -> Iterator[None]:
    """A login page of a network, or a mirror that speaks another protocol, ends in errors of parsers."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise no_sense(what) from error
    except ValueError as error:
        if type(error).__module__.startswith("huggingface_hub"):
            raise
        raise no_sense(what) from error


def no_sense(what: str) -> UnavailableError:
    """The error for an answer that no hub gives."""
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
        expired = " that has not expired (such a token hides public ones, too)" if has_token() else ""
        raise UnavailableError(
            f"{what}: no such repo, or it is private",
            remedy=f"check the spelling; a private one needs HF_TOKEN{expired}",
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
        raise _connection_error(what, error) from error


def _connection_error(what: str, error: Exception) -> UnavailableError:
    kind = type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return UnavailableError(
            f"{what}: the server's certificate is not trusted here",
            remedy="a login page or a proxy that reads along? Log in, or name the proxy's own certificate: SSL_CERT_FILE=FILE",
        )
    if "Proxy" in kind:
        return UnavailableError(
            f"{what}: the proxy failed ({error})", remedy="check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        )
    return UnavailableError(
        f"{what}: the connection failed ({kind})",
        remedy="the same command again; it goes on where it stopped. HF_ENDPOINT names a mirror",
    )


def _http_error(what: str, error: Any) -> UnavailableError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401 and has_token():
        return UnavailableError(
            f"{what}: the hub does not know this token (401)",
            remedy="unset HF_TOKEN (public repos need none), or set one that has not expired; hf auth login stores one, too",
        )
    if status in (401, 403):
        return UnavailableError(
            f"{what}: the hub refuses access ({status})", remedy="set HF_TOKEN to a read token that may see this repo"
        )
    if status == 404:
        return UnavailableError(f"{what}: not found on the hub", remedy="check the spelling")
    if status == 416:
        return UnavailableError(f"{what} is shorter than announced", remedy="cpu-codegen models pull MODEL --again")
    if status == 429:
        wait = wait_wanted_s(error)
        pause = f"wait {wait:.0f} s" if wait else "wait some minutes"
        return UnavailableError(
            f"{what}: the hub says too many requests (429)", remedy=f"{pause}; with HF_TOKEN the limit is higher"
        )
    return UnavailableError(f"{what}: the hub failed ({status})", remedy="the same command later; what is here is kept")


def refused_with(error: BaseException) -> int | None:
    """The status with which a server refused; None where there was no answer."""
    status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def wait_wanted_s(error: BaseException | None) -> float:
    """Seconds that a server wants to pass before the next try, by `Retry-After` (a number or a date) or `RateLimit`; 0 = none."""
    from email.utils import parsedate_to_datetime

    headers = getattr(getattr(error, "response", None), "headers", {})
    after = str(headers.get("Retry-After", "")).strip()
    if after.isdigit():
        return float(after[:9])
    with suppress(ValueError, TypeError):
        return max((parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds(), 0.0)
    reset = re.search(r";\s*t\s*=\s*(\d{1,9})\b", str(headers.get("RateLimit", "")))
    return float(reset[1]) if reset else 0.0


def _is_network_error(error: Exception) -> bool:
    """The HTTP client's own errors (httpx or httpx2, by version of huggingface-hub), and the system's."""
    modules = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return bool(modules & {"httpx", "httpx2", "httpcore", "httpcore2"}) or isinstance(
        error, ConnectionError | TimeoutError
    )
