"""What the scheduler needs of a model. binding.py does it with llama.cpp, tests do it with arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cpu_codegen.schema import Sampling

UBATCH_TOKENS = 512
"""Most tokens of one step, and so llama.cpp's n_batch and n_ubatch."""


class EngineFailure(Exception):
    """llama.cpp gave up on a step; the engine is treated as crashed."""


class Aborted(Exception):
    """A step was stopped on request."""


class Backend(Protocol):
    """Sequences that can be decoded into, copied whole and forgotten whole. `ends` are the tokens that end an answer."""

    batch_tokens: int
    ends: frozenset[int]

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """One step. `outputs[i]` is 1 where token i's logits are wanted. Raises EngineFailure or Aborted."""
        ...

    def sample(self, sampler: Any, index: int) -> int:
        """The next token behind the index-th token of the last step."""
        ...

    def piece(self, token: int) -> bytes:
        """A token's bytes."""
        ...

    def copy(self, source: int, target: int) -> None:
        """Gives the empty sequence `target` the whole state of `source`."""
        ...

    def forget(self, sequence: int) -> None:
        """Empties a sequence."""
        ...

    def trim(self, sequence: int, position: int) -> None:
        """Forgets a sequence's tokens from `position` on; only asked where the model can (never of recurrent ones)."""
        ...

    def new_sampler(self, sampling: Sampling, seed: int) -> Any:
        """A sampler of its own for one sample."""
        ...

    def free_sampler(self, sampler: Any) -> None:
        """Gives it back."""
        ...


class Guesser(Protocol):
    """Guesses tokens ahead for one greedy sample (speculate.py)."""

    def guess(self, prompt: Sequence[int], written: Sequence[int], limit: int) -> list[int]:
        """At most `limit` tokens that may follow."""
        ...

    def learn(self, right: int, guessed: int) -> None:
        """How many of the last guess's tokens were right."""
        ...
