"""A hub on this machine that speaks the Hugging Face protocol, with faults on demand; and the smallest GGUFs."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "a" * 40
PIECE_BYTES = 16_384


def tiny_gguf(values: int = 64, *, name: str = "tiny", fill: float = 0.5) -> bytes:
    """A whole GGUF with one f32 tensor of `values` numbers."""

    def text(value: str) -> bytes:
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    keys = [("general.architecture", "llama"), ("general.name", name)]
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(keys))
    for key, value in keys:
        head += text(key) + struct.pack("<I", 8) + text(value)
    head += text("token_embd.weight") + struct.pack("<IQIQ", 1, values, 0, 0)
    head += b"\0" * (-len(head) % 32)
    return head + struct.pack("<f", fill) * values


def sha256(data: bytes) -> str:
    """The digest of some bytes."""
    return hashlib.sha256(data).hexdigest()


@dataclass
class Faults:
    """What goes wrong. Counted faults are used up one by one; the rest stay until they are taken back."""

    status: int | None = None
    error_code: str = ""
    status_times: int = 1 << 30
    only_get: bool = False
    cut_after: list[int] = field(default_factory=list)
    wrong_content: bytes | None = None
    announce_length: int | None = None
    announce_sha256: str | None = None
    ignore_range: bool = False
    seconds_per_piece: float = 0.0
    redirect: bool = False
    redirect_to: str = ""
    list_as: bytes | None = None
    announce_size: str = ""
    content_range: list[str | None] = field(default_factory=list)
    pages: list[bytes | None] = field(default_factory=list)
    pages_have_length: bool = True
    hide_length: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Hub:
    """Serves `files` (repo → name → bytes). `ranges` lists the start of every GET of a file, `sent` counts their bytes."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.faults = Faults()
        self.ranges: list[int] = []
        self.sent = 0
        self.authorizations: set[str] = set()
        self.hosts: set[str] = set()
        self.prefix = ""
        self.commit = COMMIT
        self.moving = False
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, repo: str, file: str, data: bytes) -> None:
        """One more file."""
        self.files.setdefault(repo, {})[file] = data


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is part of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    owner: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # the tests' own output stays readable
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub, faults = self.owner, self.owner.faults
        if asked_as_proxy := re.match(r"http://([^/]+)(?=/)", self.path):
            hub.hosts.add(asked_as_proxy[1])
            self.path = self.path[asked_as_proxy.end() :]
        self.path = self.path.removeprefix(hub.prefix) if self.path.startswith(hub.prefix) else f"/outside{self.path}"
        if token := self.headers.get("Authorization"):
            hub.authorizations.add(token)
        if faults.status is not None and faults.status_times > 0 and (body or not faults.only_get):
            faults.status_times -= 1
            self._plain(faults.status, {"X-Error-Code": faults.error_code, **faults.headers})
            return
        tree = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^?]+)\?.*", self.path)
        if tree:
            rows = [
                {"type": "file", "path": name, "size": len(data), "oid": "0" * 40}
                for name, data in hub.files.get(tree[1], {}).items()
            ]
            self._plain(
                200, {"Content-Type": "application/json"}, faults.list_as or json.dumps(rows).encode(), body=body
            )
            return
        file = re.fullmatch(r"(/cdn)?/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        if file is None or file[2] not in hub.files:
            self._plain(404, {"X-Error-Code": "RepoNotFound"})
        elif file[4] not in hub.files[file[2]]:
            self._plain(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": hub.commit})
        else:
            if hub.moving and file[3] == "main":
                hub.commit = sha256(hub.commit.encode())[:40]
            self._file(hub.files[file[2]][file[4]], body=body, on_cdn=bool(file[1]))

    def _file(self, data: bytes, *, body: bool, on_cdn: bool) -> None:
        faults = self.owner.faults
        announced = faults.announce_length if faults.announce_length is not None else len(data)
        facts = {
            "X-Repo-Commit": self.owner.commit,
            "X-Linked-ETag": f'"{faults.announce_sha256 or sha256(data)}"',
            "X-Linked-Size": faults.announce_size or str(announced),
            "ETag": f'"{sha256(data)}"',
        }
        if (faults.redirect or faults.redirect_to) and not on_cdn:
            self._plain(
                302, {**facts, "Location": f"{faults.redirect_to or self.owner.url}{self.owner.prefix}/cdn{self.path}"}
            )
            return
        if not body:
            self._plain(200, {**facts, "Content-Length": str(announced)})
            return
        self._content(faults.wrong_content or data, facts)

    def _content(self, data: bytes, facts: dict[str, str]) -> None:
        hub, faults = self.owner, self.owner.faults
        page = faults.pages.pop(0) if faults.pages else None
        if page is not None:
            length = {"Content-Length": str(len(page))} if faults.pages_have_length else {}
            self._begin(200, {"Content-Type": "text/html", **length})
            self._send(page)
            return
        asked = "" if faults.ignore_range else self.headers.get("Range", "")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        start = int(wanted[1]) if wanted else 0
        end = int(wanted[2]) + 1 if wanted and wanted[2] else len(data)
        part = data[start:end]
        hub.ranges.append(start)
        total = faults.announce_length if faults.announce_length is not None else len(data)
        headers = {**facts, **({} if faults.hide_length else {"Content-Length": str(len(part))})}
        if wanted:
            told = faults.content_range.pop(0) if faults.content_range else None
            honest = f"bytes {start}-{min(end, len(data)) - 1}/{total}"
            headers["Content-Range"] = honest if told is None else told
        self._begin(206 if wanted else 200, headers)
        limit = faults.cut_after.pop(0) if faults.cut_after else len(part)
        self._send(part[:limit])
        if limit < len(part):
            self.close_connection = True

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        """Without a length the end of the connection is the end of the answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, data: bytes) -> None:
        hub = self.owner
        try:
            for at in range(0, len(data), PIECE_BYTES):
                self.wfile.write(data[at : at + PIECE_BYTES])
                hub.sent += len(data[at : at + PIECE_BYTES])
                if hub.faults.seconds_per_piece:
                    self.wfile.flush()
                    time.sleep(hub.faults.seconds_per_piece)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _plain(self, status: int, headers: dict[str, str], content: bytes = b"", *, body: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)
