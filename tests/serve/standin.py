"""A stand-in for a server that speaks OpenAI's protocol, and misbehaves on request: it hangs, dies, refuses, talks nonsense."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "Here it is:\n\n```python\ndef f(x):\n    return x + 1\n```\nIt adds one.\n"


def pieces(text: str = ANSWER, size: int = 4) -> list[str]:
    """A text in pieces, as tokens come."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def chunk(content: str | None = None, *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One event of a streamed chat completion."""
    delta = {} if content is None else {"content": content}
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


@dataclass(eq=False)
class StandIn:
    """What the server does. `script` holds what the next chat requests meet, one by one; then `play` is the rule.

    `requests` are the bodies of streamed ones; `plain` is the answer to one without a stream; `cut` counts the connections that the
    client closed before the stream's end. `paths` are answers to GET, or what gives them.
    """

    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "small", "object": "model", "created": 1}])
    paths: dict[str, Any] = field(default_factory=dict)
    script: list[Callable[[Conversation], None]] = field(default_factory=list)
    plain: tuple[Any, int] = ({"choices": []}, 200)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    cut: int = 0
    most_at_once: int = 0
    now_at_once: int = 0
    url: str = ""
    answer: str = ANSWER
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def play(self, talk: Conversation) -> None:
        """A good answer."""
        talk.stream([*(chunk(piece) for piece in pieces(self.answer)), chunk(finish="stop"), None])


class Conversation(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    standin: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """/v1/models, and what else the stand-in knows."""
        if self.path == "/v1/models":
            self.json({"object": "list", "data": self.standin.models})
        elif self.path in self.standin.paths:
            found = self.standin.paths[self.path]
            found(self) if callable(found) else self.json(found)
        else:
            self.json({"error": {"message": "not found"}}, 404)

    def do_POST(self) -> None:
        """A chat completion, by the script."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path in self.standin.paths:
            self.json(self.standin.paths[self.path])
            return
        standin = self.standin
        if not body["stream"]:
            self.json(*standin.plain)
            return
        with standin.lock:
            standin.requests.append(body)
            standin.keys.append(self.headers.get("Authorization"))
            act = standin.script.pop(0) if standin.script else standin.play
            standin.now_at_once += 1
            standin.most_at_once = max(standin.most_at_once, standin.now_at_once)
        try:
            act(self)
        finally:
            with standin.lock:
                standin.now_at_once -= 1

    def json(self, value: Any, status: int = 200, **headers: str) -> None:
        """A whole JSON answer."""
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, events: Iterable[dict[str, Any] | str | None]) -> None:
        """Events; a text is sent as it stands, None is [DONE]. The connection ends with them."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in events:
                if self.standin.stopped.is_set():
                    return
                text = event if isinstance(event, str) else f"data: {json.dumps(event) if event else '[DONE]'}\n\n"
                self.wfile.write(text.encode())
                self.wfile.flush()
        except OSError:
            self.standin.cut += 1


def slowly(events: Iterable[dict[str, Any] | str | None], pause_s: float) -> Iterator[dict[str, Any] | str | None]:
    """With a pause before each."""
    for event in events:
        time.sleep(pause_s)
        yield event


def status(code: int, **headers: str) -> Callable[[Conversation], None]:
    """Answers with a status and a reason."""
    return lambda talk: talk.json({"error": {"message": f"reason {code}"}}, code, **headers)


def streams(*events: dict[str, Any] | str | None) -> Callable[[Conversation], None]:
    """Sends these events."""
    return lambda talk: talk.stream(events)


def endless(text: str = "and on ", pause_s: float = 0.0005) -> Callable[[Conversation], None]:
    """Never stops by itself."""

    def events() -> Iterator[dict[str, Any]]:
        number = 0
        while True:
            time.sleep(pause_s)
            number += 1
            yield chunk(f"{text}{number} ")

    return lambda talk: talk.stream(events())


def hangs(before: Sequence[dict[str, Any] | str] = ()) -> Callable[[Conversation], None]:
    """Sends a little, then nothing, and keeps the connection open."""

    def act(talk: Conversation) -> None:
        talk.stream(before)
        talk.standin.stopped.wait(20)

    return act


def dies(before: Sequence[dict[str, Any] | str] = ()) -> Callable[[Conversation], None]:
    """Closes the connection in the middle."""
    return lambda talk: talk.stream(before)


@contextmanager
def serving(standin: StandIn) -> Iterator[StandIn]:
    """The stand-in on a port of its own."""

    class Handler(Conversation):
        pass

    Handler.standin = standin
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    standin.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        standin.stopped.set()
        server.shutdown()
        server.server_close()
