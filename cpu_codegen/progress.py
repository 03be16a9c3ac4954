"""What a run tells while it goes on; stages report here and know nothing of terminals."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One bar per column. `total` and `done` count samples."""

    def begin(self, column: str, total: int, done: int = 0) -> None:
        """A column starts; `done` of `total` were there already."""

    def advance(self, note: str = "") -> None:
        """One more sample; `note` is shown beside the bar."""

    def note(self, note: str) -> None:
        """What is shown beside the bar changes, though no sample has ended; about twice a second at most."""

    def end(self, note: str = "") -> None:
        """The column is complete."""

    def say(self, text: str) -> None:
        """One line above the bars."""


class Silent:
    """Tells nothing; for tests and library use."""

    def begin(self, column: str, total: int, done: int = 0) -> None:
        """Nothing."""

    def advance(self, note: str = "") -> None:
        """Nothing."""

    def note(self, note: str) -> None:
        """Nothing."""

    def end(self, note: str = "") -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""
