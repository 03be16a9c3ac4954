"""The requests of a run that have no answer yet, and what a crash of the engine's process means to them. Pure.

What was in flight is asked again, each sample alone: one that crashes alone CRASHES_ALONE times is given up, all others get their
answers. A process that dies before any sample was begun says nothing of samples. Not covered: processes and their logs (llama.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cpu_codegen.schema import Request

CRASHES_ALONE = 2
BLIND_CRASHES = 2

MOST_AT_ONCE = 20_000
"""Requests of one batch. More follow when those are done, which costs a shared prefix once more."""

MOST_CHARACTERS = 20_000_000
"""Of all prompts of one batch: a character takes at most 12 bytes of a frame (wire.MAX_FRAME_BYTES)."""


class Outstanding:
    """Empty (false) when every request has an answer or was given up."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._left = {request.key: request for request in requests}
        self._alone: dict[str, int] = {}
        self._blind = 0

    def __len__(self) -> int:
        return len(self._left)

    def __contains__(self, key: object) -> bool:
        return key in self._left

    @property
    def suspect(self) -> str | None:
        """The key of the sample that is to be asked next, alone; None when there is none."""
        return next(iter(self._alone), None)

    @property
    def is_hopeless(self) -> bool:
        """The engine has died again and again without having begun anything."""
        return self._blind >= BLIND_CRASHES

    def batch(self) -> list[Request]:
        """What to ask next: a suspect alone, else as many as go into one frame, at least one."""
        if self.suspect is not None:
            return [self._left[self.suspect]]
        batch: list[Request] = []
        characters = 0
        for request in self._left.values():
            characters += len(request.text)
            if batch and (len(batch) == MOST_AT_ONCE or characters > MOST_CHARACTERS):
                break
            batch.append(request)
        return batch

    def answered(self, key: str) -> None:
        """There is an answer."""
        del self._left[key]
        self._alone.pop(key, None)
        self._blind = 0

    def crashed(self, started: Sequence[str]) -> list[str]:
        """The process died after it had begun these samples; the keys of those that are given up."""
        was_alone = self.suspect is not None
        suspects = [key for key in started if key in self._left]
        self._blind += not suspects
        for key in suspects:
            self._alone[key] = self._alone.get(key, 0) + was_alone
        hopeless = [key for key in suspects if self._alone[key] >= CRASHES_ALONE]
        for key in hopeless:
            del self._alone[key], self._left[key]
        return hopeless
