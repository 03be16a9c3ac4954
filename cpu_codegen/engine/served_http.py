"""HTTP to one OpenAI-compatible server: small JSON answers, a streamed chat completion event by event. The border to its socket.

The standard library's client, one connection a request: huggingface-hub's HTTP package changes with its major version, and a stream
that may be closed in the middle needs no pool. Proxies are not used. What may pass when tried again is `Trouble`, what will not is
`Refused`. Not covered: what the events mean (served_reply.py).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cpu_codegen.errors import UsageError

MAX_LINE_BYTES = 1 << 20
MAX_JSON_BYTES = 8 << 20
ASK_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 10.0
RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
UNREADY = frozenset({429, 503})
API_KEY = "CPU_CODEGEN_API_KEY"


class Trouble(Exception):
    """It may work when tried again. `wait_s` is what the server asks for (Retry-After).

    `without_a_word` = the stream began well and ended before its first event: a server's way of failing where it may say why.
    """

    def __init__(self, message: str, *, wait_s: float | None = None, without_a_word: bool = False) -> None:
        super().__init__(message)
        self.wait_s = wait_s
        self.without_a_word = without_a_word


class Unready(Trouble):
    """The server did not get to an answer: it is loading, or busy. Nothing follows from it for what the server is."""


class Refused(Exception):
    """The server understood and says no; trying again will not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is. `path` is what stands before /v1, without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds of silence that are borne: before the first event (a long prompt on a slow CPU) and between two."""

    first_s: float = 900.0
    next_s: float = 120.0


def parse_address(text: str) -> Address:
    """`http://host:port`, with or without /v1. UsageError for anything else."""
    remedy = "--engine http://127.0.0.1:8080"
    try:
        parts = urlsplit(text)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UsageError(f"--engine {text!r} is no address: {error}", remedy=remedy) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--engine {text!r} is no http(s) address", remedy=remedy)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(f"--engine takes no user, query or fragment; {API_KEY} holds a key", remedy=remedy)
    path = parts.path.rstrip("/").removesuffix("/v1")
    return Address(parts.scheme, parts.hostname, port, path)


def ask(address: Address, path: str, body: dict[str, Any] | None = None) -> Any:
    """One JSON answer. Refused for a status of 4xx, Trouble for all that may pass."""
    connection = _connect(address)
    try:
        with _request(connection, address, path, body, ASK_TIMEOUT_S) as response:
            data = response.read(MAX_JSON_BYTES + 1)
        if len(data) > MAX_JSON_BYTES:
            raise Trouble(f"{path}: an answer of over {MAX_JSON_BYTES} bytes")
        return json.loads(data)
    except TimeoutError as error:
        raise Unready(_words(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise Trouble(_words(error)) from error
    except ValueError:
        raise Trouble(f"{path}: the answer is no JSON") from None
    finally:
        connection.close()


class Stream:
    """The events of one chat completion. `close` may be called from another thread and ends a blocked read."""

    def __init__(self, address: Address, body: dict[str, Any], patience: Patience) -> None:
        self._address, self._body = address, body
        self.first_s, self.next_s = patience.first_s, patience.next_s
        self._connection = _connect(address)
        self._connection.auto_open = 0  # once closed by another thread it stays closed
        self._closed = False
        self._socket: socket.socket | None = None

    def events(self) -> Iterator[dict[str, Any] | None]:
        """Every `data:` line as an object; None for [DONE]. Trouble when it hangs, dies, or sends what is no event."""
        try:
            with self._open() as response:
                yield from self._events(response)
        except (OSError, http.client.HTTPException, AttributeError, ValueError) as error:
            # the last two are http.client's own, when another thread closes the connection in the middle of a read
            raise Trouble("closed" if self._closed else _words(error)) from error
        finally:
            self.close()

    def _open(self) -> http.client.HTTPResponse:
        self._connection.timeout = CONNECT_TIMEOUT_S
        self._connection.connect()
        self._socket = self._connection.sock
        if self._closed:
            raise ConnectionError("closed")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _request(self._connection, self._address, "/v1/chat/completions", self._body, self.first_s)

    def _events(self, response: http.client.HTTPResponse) -> Iterator[dict[str, Any] | None]:
        assert self._socket is not None, "a response came over a socket"
        deadline = time.monotonic() + self.first_s
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise Trouble("the server keeps the connection open and sends nothing")
            self._socket.settimeout(left_s)
            line = response.readline(MAX_LINE_BYTES)
            if not line:
                return
            if len(line) >= MAX_LINE_BYTES:
                raise Trouble("a line without end where an event was expected")
            if line.startswith((b"data:", b"error:")):
                yield _event(line.partition(b":")[2].strip())
                deadline = time.monotonic() + self.next_s

    def close(self) -> None:
        """Ends the connection; the server sees it and stops."""
        self._closed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was quicker
                self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _event(data: bytes) -> dict[str, Any] | None:
    if data == b"[DONE]":
        return None
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise Trouble(f"not an event of a chat completion: {data[:80].decode('utf-8', 'replace')!r}")
    if event.get("error") or "choices" not in event:
        raise Trouble(f"the server says: {_error_text(event)}")
    return event


def _connect(address: Address) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    return kind(address.host, address.port, timeout=ASK_TIMEOUT_S)


def _request(
    connection: http.client.HTTPConnection, address: Address, path: str, body: dict[str, Any] | None, timeout_s: float
) -> http.client.HTTPResponse:
    """Sends, and waits for a good status."""
    headers = {"Accept": "text/event-stream" if body and body.get("stream") else "application/json"}
    if key := os.environ.get(API_KEY):
        headers["Authorization"] = f"Bearer {key}"
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body, allow_nan=False).encode("ascii")
    if connection.sock is not None:
        connection.sock.settimeout(timeout_s)
    connection.request("GET" if body is None else "POST", address.path + path, data, headers)
    response = connection.getresponse()
    if response.status == 200:
        return response
    with response:
        message = _message(response.read(MAX_LINE_BYTES))
    if response.status in RETRIED:
        kind = Unready if response.status in UNREADY else Trouble
        raise kind(f"{response.status}: {message}", wait_s=_retry_after(response.getheader("Retry-After")))
    raise Refused(response.status, message)


def _message(data: bytes) -> str:
    try:
        return _error_text(json.loads(data))
    except ValueError:
        return " ".join(data[:200].decode("utf-8", "replace").split()) or "no reason given"


def _error_text(answer: Any) -> str:
    """The sentence in `error.message`, `error` or `detail`, as servers differ."""
    found = answer
    for name in ("error", "detail", "message"):
        if isinstance(found, dict) and name in found:
            found = found[name]
    return " ".join((found if isinstance(found, str) else json.dumps(found)).split())[:300]


def _retry_after(text: str | None) -> float | None:
    return float(text) if text and text.strip().isdigit() else None


def _words(error: Exception) -> str:
    """The cause in words that do not name a Python class where the system has its own."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return "the server ended the connection in the middle of an answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
