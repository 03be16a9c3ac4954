"""A backend that is arithmetic: the next token follows from a sequence's tokens alone, so texts can be checked exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cpu_codegen.engine.events import Event
from cpu_codegen.engine.lane import Job
from cpu_codegen.engine.prefixes import share
from cpu_codegen.engine.scheduler import Scheduler
from cpu_codegen.schema import Generation, Request, Sampling

END = 0


class FakeBackend:
    """Tokens are code points, 0 ends an answer. Keeps every sequence's tokens and refuses gaps, as a KV cache would."""

    def __init__(self, answer: Callable[[str], str], *, batch_tokens: int = 64) -> None:
        self.batch_tokens = batch_tokens
        self.ends = frozenset({END})
        self.state: dict[int, list[int]] = {}
        self.steps: list[int] = []
        self.samplers = 0
        self._answer = answer
        self._last: list[int] = []

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """As a KV cache would: every token at the end of its sequence."""
        assert 0 < len(tokens) <= self.batch_tokens
        self._last = []
        for token, position, sequence, output in zip(tokens, positions, sequences, outputs, strict=True):
            state = self.state.setdefault(sequence, [])
            assert position == len(state), "a token came at a position where it does not belong"
            state.append(token)
            self._last.append(self._next(state) if output else -1)
        self.steps.append(len(tokens))

    def _next(self, state: list[int]) -> int:
        text = "".join(map(chr, state))
        prompt, _, written = text.partition("\x01")
        answer = self._answer(prompt)
        return ord(answer[len(written)]) if len(written) < len(answer) else END

    def sample(self, sampler: Any, index: int) -> int:
        """The answer's next character."""
        assert self._last[index] >= 0, "sampled where no output was asked for"
        return self._last[index]

    def piece(self, token: int) -> bytes:
        """A character."""
        return chr(token).encode()

    def copy(self, source: int, target: int) -> None:
        """A whole sequence."""
        assert not self.state.get(target), "copied onto a sequence in use"
        self.state[target] = list(self.state[source])

    def forget(self, sequence: int) -> None:
        """A whole sequence."""
        self.state[sequence] = []

    def trim(self, sequence: int, position: int) -> None:
        """The end of a sequence."""
        del self.state[sequence][position:]

    def new_sampler(self, sampling: Sampling, seed: int) -> Any:
        """Counted, so that a test sees leaks."""
        self.samplers += 1
        return object()

    def free_sampler(self, sampler: Any) -> None:
        """Counted."""
        self.samplers -= 1


def job(prompt: str, key: str = "", **fields: Any) -> Job:
    """A job whose prompt ends with the mark that divides it from its answer."""
    fields = {"max_tokens": 1000, "seed": 0, "add_special": False, **fields}
    request = Request(key=key or prompt, text=prompt, **fields)
    return Job(request, [*map(ord, prompt), 1], request.max_tokens)


def scheduler_for(backend: FakeBackend, jobs: list[Job], *, width: int, **options: Any) -> Scheduler:
    """A scheduler with all jobs submitted and their prefixes shared."""
    min_span = options.pop("min_span", 4)
    sharing = share([job.tokens for job in jobs], min_span=min_span)
    for one, chain in zip(jobs, sharing.chains, strict=True):
        one.chain = chain
    options = {"cells": 100_000, "holders": 8, **options}
    scheduler = Scheduler(backend, width=width, **options)
    scheduler.submit(jobs)
    return scheduler


def run(scheduler: Scheduler, *, answers: Callable[[Event], bool] | None = None) -> dict[str, Generation]:
    """All generations by key; questions are answered at once by `answers`, or never."""
    found: dict[str, Generation] = {}
    while not scheduler.is_done:
        events = scheduler.give_up_waiting() if scheduler.is_waiting else scheduler.step()
        while events:
            event = events.pop(0)
            if isinstance(event, Generation):
                assert event.key not in found, "two generations for one key"
                found[event.key] = event
            elif hasattr(event, "ticket") and answers is not None:
                events += scheduler.answer(event.ticket, complete=answers(event))
    return found
