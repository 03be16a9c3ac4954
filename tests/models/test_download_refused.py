"""What the hub, a mirror, a proxy or a network in between answers instead of a file: explained, waited for, or passed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib import import_module
from importlib.util import find_spec

import pytest

from cpu_codegen.download import pull
from cpu_codegen.errors import UnavailableError, UsageError
from cpu_codegen.models.refusals import hub_errors
from cpu_codegen.registry import resolve
from tests.models.downloads import DATA, FILE, REPO, RESOLVED, Told, pinned
from tests.models.support import Hub


@pytest.mark.parametrize(
    ("status", "code", "says", "remedy"),
    [
        (401, "RepoNotFound", "no such repo", "HF_TOKEN"),
        (403, "GatedRepo", "gated", "accept"),
        (403, "", "refuses access", "HF_TOKEN"),
        (404, "RepoNotFound", "no such repo", "spelling"),
        (404, "EntryNotFound", "no such file", "quant"),
        (404, "RevisionNotFound", "no such revision", "revision"),
    ],
)
def test_refusals_are_explained(served: Hub, status: int, code: str, says: str, remedy: str) -> None:
    """Gated, private and missing repos, files and revisions each have their own words and way out."""
    served.faults.status, served.faults.error_code = status, code
    with pytest.raises(UnavailableError, match=says) as caught:
        pull(RESOLVED, watcher=Told())
    assert remedy in (caught.value.remedy or "")


def test_too_many_requests(served: Hub) -> None:
    """429 names how long to wait, and is waited for as long as the server asks."""
    served.faults.status, served.faults.headers = 429, {"Retry-After": "17"}
    served.faults.only_get = True
    told = Told()
    with pytest.raises(UnavailableError, match="429") as caught:
        pull(pinned(), watcher=told)
    assert "17 s" in (caught.value.remedy or "")
    assert told.pauses_s == [17, 17, 17, 17, 32, 60, 60, 60, 60]


@pytest.mark.parametrize(
    ("name", "value", "seconds"),
    [
        ("Retry-After", "90", 90),
        ("RateLimit", '"resolvers";r=0;t=75', 75),
        ("Retry-After", timedelta(seconds=100), 100),
        ("Retry-After", "soon", 2),
        ("Retry-After", timedelta(days=-1), 2),
    ],
)
def test_the_wait_that_a_server_asks_for(served: Hub, name: str, value: str | timedelta, seconds: float) -> None:
    """As seconds, as a date (here so long from now), or as the hub's own limit; what makes no sense is passed over."""
    if isinstance(value, timedelta):
        value = format_datetime(datetime.now(UTC) + value, usegmt=True)
    served.faults.status, served.faults.status_times, served.faults.headers = 429, 1, {name: value}
    served.faults.only_get = True
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA)
    assert told.pauses_s == [pytest.approx(seconds, abs=60 if seconds == 100 else 0)]


def test_an_hour_is_the_users_to_wait(served: Hub) -> None:
    """A long wait ends the command at once, with how long it is."""
    served.faults.status, served.faults.headers, served.faults.only_get = 429, {"Retry-After": "3600"}, True
    told = Told()
    with pytest.raises(UnavailableError, match="429") as caught:
        pull(pinned(), watcher=told)
    assert "3600 s" in (caught.value.remedy or "")
    assert told.pauses_s == []


def test_server_error_passes(served: Hub) -> None:
    """A 500 in between is waited out."""
    served.faults.status, served.faults.status_times, served.faults.only_get = 500, 2, True
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA)
    assert told.pauses_s == [2, 4]


def test_redirect(served: Hub) -> None:
    """LFS files come from another address; digest and length are those of the first answer."""
    served.faults.redirect = True
    assert pull(pinned()).fetched_bytes == len(DATA)


def test_token_is_sent(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_TOKEN goes along, and is never shown."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    told = Told()
    pull(RESOLVED, watcher=told)
    assert served.authorizations == {"Bearer hf_secret"}
    assert not any("hf_secret" in line for line in told.lines)


def test_token_stays_with_the_hub(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect to another host gets the range and not HF_TOKEN, on a resumed download too."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    elsewhere = Hub()
    try:
        elsewhere.add(REPO, FILE, DATA)
        served.faults.redirect_to = elsewhere.url
        elsewhere.faults.cut_after = [30_000]
        assert pull(pinned(), watcher=Told()).fetched_bytes == len(DATA)
    finally:
        elsewhere.close()
    assert elsewhere.ranges == [0, 30_000]
    assert served.authorizations == {"Bearer hf_secret"}
    assert elsewhere.authorizations == set()


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection at all is an error with a remedy, not a traceback."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match="connection failed"):
        pull(RESOLVED, watcher=Told())


@pytest.mark.parametrize("answer", [b"<html>Please log in</html>", b"[1, 2]", b'[{"type": "file"}]', b"[" * 100_000])
def test_a_list_that_is_none(served: Hub, answer: bytes) -> None:
    """A login page in between, or a mirror of another kind, is named as such."""
    served.faults.list_as = answer
    with pytest.raises(UnavailableError, match="makes no sense") as caught:
        resolve(f"hf:{REPO}:q4_k_m")
    assert "HF_ENDPOINT" in (caught.value.remedy or "")


@pytest.mark.parametrize("size", ["many", "-5", "1e9"])
def test_a_size_that_is_none(served: Hub, size: str) -> None:
    """So is a length that is no number."""
    served.faults.announce_size = size
    with pytest.raises(UnavailableError, match="the hub's answer"):
        pull(RESOLVED, watcher=Told())


def test_a_token_with_a_newline(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """`HF_TOKEN=$(cat file)` on Windows, or a secret from a CI, ends in white space: it is left out."""
    monkeypatch.setenv("HF_TOKEN", " hf_secret\r\n")
    pull(RESOLVED, watcher=Told())
    assert served.authorizations == {"Bearer hf_secret"}


def test_an_expired_token(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes the hub refuse, or hide, what anybody may have: the remedy says so, and never the token."""
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    served.faults.status = 401
    served.faults.headers = {"X-Error-Message": "Invalid credentials in Authorization header"}
    with pytest.raises(UnavailableError, match="does not know this token") as caught:
        pull(RESOLVED, watcher=Told())
    assert "unset HF_TOKEN" in (caught.value.remedy or "")
    served.faults.error_code, served.faults.headers = "RepoNotFound", {}
    with pytest.raises(UnavailableError, match="no such repo") as caught:
        pull(RESOLVED, watcher=Told())
    assert "expired" in (caught.value.remedy or "")
    assert "hf_expired" not in f"{caught.value} {caught.value.remedy}"


def test_a_mirror_below_a_path(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_ENDPOINT may have a path, and a slash at its end; lists, metadata and files are asked for below it."""
    served.prefix = "/mirrors/hf"
    monkeypatch.setenv("HF_ENDPOINT", f"{served.url}/mirrors/hf/")
    served.faults.redirect = True
    assert pull(resolve(f"hf:{REPO}:q4_k_m"), watcher=Told()).fetched_bytes == len(DATA)


def test_a_mirror_without_a_scheme(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_ENDPOINT=hf-mirror.example is answered with what to type."""
    monkeypatch.setenv("HF_ENDPOINT", "hf-mirror.example")
    with pytest.raises(UsageError, match="no web address") as caught:
        pull(RESOLVED, watcher=Told())
    assert caught.value.remedy == "HF_ENDPOINT=https://hf-mirror.example"


@pytest.fixture
def fresh_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """huggingface-hub reads the proxies when it makes its client, once a process."""
    from huggingface_hub import close_session

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    close_session()
    yield
    close_session()


def test_a_proxy(served: Hub, monkeypatch: pytest.MonkeyPatch, fresh_connections: None) -> None:
    """HTTP_PROXY is honoured: a hub whose name nobody knows here is reached through it."""
    monkeypatch.setenv("HTTP_PROXY", served.url)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert pull(RESOLVED, watcher=Told()).fetched_bytes == len(DATA)
    assert served.hosts == {"hub.invalid"}


def test_words_for_what_stands_in_between() -> None:
    """A proxy that refuses, and one that reads along with a certificate of its own, are named as such."""
    client = import_module("httpx2" if find_spec("httpx2") else "httpx")
    for error, says, remedy in (
        (client.ProxyError("407 Proxy Authentication Required"), r"the proxy failed \(407", "HTTPS_PROXY"),
        (client.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "not trusted here", "SSL_CERT_FILE"),
    ):
        with pytest.raises(UnavailableError, match=says) as caught, hub_errors("user/repo"):
            raise error
        assert remedy in (caught.value.remedy or "")


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("before", [0, 30_000])
def test_the_login_page_of_a_train(served: Hub, before: int, length: bool) -> None:
    """Its bytes become no part of a file, at its beginning or later; behind the login the download goes on."""
    page = b"<html>" + b"Welcome aboard! " * 500
    served.faults.cut_after = [before] if before else []
    served.faults.pages = [*([None] if before else []), page, page]
    served.faults.pages_have_length = length
    told = Told()
    assert pull(pinned(), watcher=told).fetched_bytes == len(DATA)
    assert sum("going on from" in line for line in told.lines) == 2 + bool(before)
