"""Frames over a socket: four bytes of length, then JSON. Every wait has a deadline, every frame a largest size.

The checker reads frames that hostile code wrote and writes frames that hostile code may refuse to read, so neither may block
for ever. Not covered: what a frame means.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from typing import Any

MAX_FRAME_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20


class ChannelClosed(Exception):
    """The other side is gone."""


class ChannelTimeout(Exception):
    """The other side did not answer in time."""


class BadFrame(Exception):
    """What came is no frame of ours, or too large a one."""


class Channel:
    """One end of a stream socket, by its file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        os.set_blocking(fd, False)
        self._readable = select.poll()
        self._readable.register(fd, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(fd, select.POLLOUT)
        self._buffer = bytearray()

    def close(self) -> None:
        """Closes the descriptor; may be called twice."""
        if self.fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self.fd)
            self.fd = -1

    def send(self, message: Any, deadline: float | None = None) -> None:
        """A message as JSON."""
        self.send_bytes(json.dumps(message, separators=(",", ":")).encode(), deadline)

    def send_bytes(self, payload: bytes, deadline: float | None = None) -> None:
        """A payload that is JSON already."""
        self.send_raw(len(payload).to_bytes(4, "little") + payload, deadline)

    def send_raw(self, data: bytes, deadline: float | None = None) -> None:
        """Bytes without a frame."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self.fd, rest) :]
            except BlockingIOError:
                self._wait(self._writable, deadline)
            except OSError as error:
                raise ChannelClosed(str(error)) from None

    def receive(self, deadline: float | None = None, limit: int = MAX_FRAME_BYTES) -> Any:
        """The next message, parsed. Raises BadFrame for what is no JSON."""
        payload = self.receive_bytes(deadline, limit)
        try:
            return json.loads(payload)
        except (ValueError, RecursionError, MemoryError) as error:
            raise BadFrame(type(error).__name__) from None

    def receive_bytes(self, deadline: float | None = None, limit: int = MAX_FRAME_BYTES) -> bytes:
        """The next frame's payload. After a ChannelTimeout the same frame may be waited for again."""
        self._fill(4, deadline)
        length = int.from_bytes(self._buffer[:4], "little")
        if length > limit:
            raise BadFrame("frame too large")
        self._fill(4 + length, deadline)
        return self._take(4 + length)[4:]

    def receive_raw(self, count: int, deadline: float | None = None) -> bytes:
        """Exactly `count` bytes."""
        self._fill(count, deadline)
        return self._take(count)

    def holds_more(self) -> bool:
        """Has the other side sent what was not asked for yet?"""
        return bool(self._buffer) or any(event == select.POLLIN for _, event in self._readable.poll(0))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self, count: int, deadline: float | None) -> None:
        """Reads until the buffer holds `count` bytes."""
        buffer = self._buffer
        while len(buffer) < count:
            try:
                chunk = os.read(self.fd, max(1 << 16, min(_CHUNK_BYTES, count - len(buffer))))
            except BlockingIOError:
                self._wait(self._readable, deadline)
                continue
            except OSError as error:
                raise ChannelClosed(str(error)) from None
            if not chunk:
                raise ChannelClosed("end of stream")
            buffer += chunk

    def _wait(self, poll: select.poll, deadline: float | None) -> None:
        timeout_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        if not poll.poll(timeout_ms) and deadline is not None and time.monotonic() >= deadline:
            raise ChannelTimeout
