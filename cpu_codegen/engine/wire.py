"""Frames over a pipe between the parent and its engine: four bytes of length, then JSON. No pickle, nothing executable.

Covered: whole frames, a closed pipe. Not covered: time limits; each side reads in a thread of its own.
"""

from __future__ import annotations

import json
import threading
from typing import IO, Any

MAX_FRAME_BYTES = 256 << 20


class WireClosed(Exception):
    """The other side is gone."""


class WireBroken(WireClosed):
    """What it sent is no frame: nothing behind it can be understood."""


class Wire:
    """Both directions. `send` may be called from any thread, `receive` from one."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader, self._writer = reader, writer
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """One message. Lone surrogates survive: JSON escapes everything beyond ASCII."""
        payload = json.dumps(message, separators=(",", ":")).encode("ascii")
        try:
            with self._lock:
                self._writer.write(len(payload).to_bytes(4, "little") + payload)
                self._writer.flush()
        except (OSError, ValueError) as error:
            raise WireClosed(str(error)) from None

    def receive(self) -> dict[str, Any]:
        """The next message."""
        length = int.from_bytes(self._exactly(4), "little")
        if length > MAX_FRAME_BYTES:
            raise WireBroken(f"a frame of {length} bytes")
        try:
            message = json.loads(self._exactly(length))
        except ValueError as error:
            raise WireBroken(f"no JSON: {error}") from None
        if not isinstance(message, dict):
            raise WireBroken(f"no message: {type(message).__name__}")
        return message

    def _exactly(self, count: int) -> bytes:
        try:
            data = self._reader.read(count)
        except (OSError, ValueError) as error:
            raise WireClosed(str(error)) from None
        if data is None or len(data) < count:
            raise WireClosed("end of stream")
        return data
