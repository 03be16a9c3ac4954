"""Which beginnings do prompts share? Pure: token lists in, a tree of shared prefixes out.

A prefix is decoded once into a sequence of its own (its holder) and copied whole to every user, so that no model is ever asked to
forget a part of its state; recurrent and hybrid models share as safely as others. A user always keeps at least its prompt's
last token to itself, since that token's logits are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

MIN_SPAN = 16
"""Shorter prefixes are not worth a holder."""


@dataclass(eq=False, slots=True)
class Prefix:
    """Tokens [start, end) that `users` prompts share, behind those of `parent`.

    The scheduler keeps the rest: `holder` is the sequence that holds the state of all [0, end) tokens, `done` how far it is
    decoded, `waiting` how many users still have to copy it, `tenants` how many running samples stand on it. `cost_s` is
    what decoding it took and is split equally among its users; `wall_s` is the time from its first to its last token.
    """

    parent: Prefix | None
    start: int
    end: int
    tokens: tuple[int, ...]
    users: int
    waiting: int = 0
    tenants: int = 0
    holder: int | None = None
    done: int = 0
    began_s: float = 0.0
    wall_s: float = 0.0
    cost_s: float = 0.0
    energy_j: float = 0.0

    @property
    def ready(self) -> bool:
        """True when it may be copied."""
        return self.holder is not None and self.done == self.end

    @property
    def span(self) -> int:
        """Tokens of its own."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Sharing:
    """`chains[i]` are the prefixes of prompt i, outermost first."""

    chains: tuple[tuple[Prefix, ...], ...]
    prefixes: tuple[Prefix, ...] = field(default=())


def share(prompts: Sequence[Sequence[int]], *, min_span: int = MIN_SPAN) -> Sharing:
    """The tree of prefixes. Sorted prompts with a common beginning lie side by side, so one pass over the groups finds all."""
    chains: list[tuple[Prefix, ...]] = [()] * len(prompts)
    prefixes: list[Prefix] = []
    order = sorted(range(len(prompts)), key=lambda i: tuple(prompts[i]))
    stack: list[tuple[list[int], Prefix | None]] = [(order, None)]
    while stack:
        group, parent = stack.pop()
        if len(group) < 2:
            continue
        first, last = prompts[group[0]], prompts[group[-1]]
        common = _common(first, last)
        start = parent.end if parent else 0
        end = min(common, len(first) - 1)
        if end - start >= min_span:
            parent = Prefix(parent, start, end, tuple(first[start:end]), users=len(group), waiting=len(group))
            prefixes.append(parent)
            for index in group:
                chains[index] = (*chains[index], parent)
        if common < len(last):
            stack.extend((part, parent) for part in _split(group, prompts, common))
    return Sharing(tuple(chains), tuple(prefixes))


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens are equal."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _split(group: list[int], prompts: Sequence[Sequence[int]], at: int) -> Iterator[list[int]]:
    """Parts that go on with the same token; a prompt that ends here is a part of its own."""
    for _, part in groupby(group, key=lambda i: prompts[i][at] if at < len(prompts[i]) else -1):
        yield list(part)
