"""One step's batch: which tokens go in, behind which of them something is drawn, and how its cost is shared. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cpu_codegen.engine.lane import Lane
from cpu_codegen.engine.prefixes import Prefix
from cpu_codegen.engine.speculate import AHEAD

Guess = Callable[[Lane], list[int]]


@dataclass(slots=True)
class Step:
    """Four lists as llama_decode wants them, and what to do behind it.

    `sampling`: lane, index of the token behind which its next one is drawn, guesses. `filled`: prefixes and tokens decoded.
    `prompt_tokens` are those of the samples' own prompts. `is_even`: one token of every lane and nothing else.
    """

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    sampling: list[tuple[Lane, int, Sequence[int]]] = field(default_factory=list)
    filled: list[tuple[Prefix, int]] = field(default_factory=list)
    prompt_tokens: int = 0
    is_even: bool = False

    def again(self) -> Step:
        """An even step once more, one position on, with `tokens` put to what was drawn behind it."""
        self.positions = [position + 1 for position in self.positions]
        return self

    def put(self, tokens: Sequence[int], position: int, sequence: int, output: int) -> None:
        """Consecutive tokens of one sequence."""
        count = len(tokens)
        self.tokens += tokens
        self.positions += range(position, position + count)
        self.sequences += [sequence] * count
        self.outputs += [output] * count

    def put_prompt(self, lane: Lane, room: int) -> int:
        """The next part of what a lane is fed; with its last token the lane decodes. Returns the tokens put."""
        part = lane.feed[lane.fed : lane.fed + room]
        self.put(part, lane.feed_at + lane.fed, lane.sequence, 0)
        lane.fed += len(part)
        lane.tokens_in_step = len(part)
        self.prompt_tokens += len(part)
        if lane.fed == len(lane.feed):
            lane.is_decoding = True
            self.outputs[-1] = 1
            self.sampling.append((lane, len(self.tokens) - 1, ()))
        return len(part)

    def put_guessed(self, lane: Lane, guessed: list[int]) -> None:
        """A lane's last token and what may follow it."""
        self.sampling.append((lane, len(self.tokens), guessed))
        lane.tokens_in_step = 1 + len(guessed)
        self.put([lane.written[-1], *guessed], lane.position, lane.sequence, 1)

    def put_prefix(self, prefix: Prefix, room: int) -> int:
        """The next part of a shared prefix, into its holder. Returns the tokens put."""
        at = prefix.done - prefix.start
        part = prefix.tokens[at : at + room]
        if part and prefix.holder is not None:
            self.put(part, prefix.done, prefix.holder, 0)
            self.filled.append((prefix, len(part)))
        return len(part)


def next_step(
    lanes: Sequence[Lane], filling: Sequence[Prefix], *, batch_tokens: int, chunk_tokens: int, guess: Guess | None
) -> Step:
    """Sequences in their order, as streams want them; prefixes, whose numbers are the highest, last but served first."""
    decoding = sum([lane.is_decoding for lane in lanes])
    if decoding == len(lanes) and not filling and guess is None:
        return _all_decoding(lanes)
    step = Step()
    room = batch_tokens - decoding * (1 + (AHEAD if guess is not None else 0))
    if decoding:
        room = min(room, chunk_tokens)
    for_prefixes = min(room, sum(prefix.end - prefix.done for prefix in filling))
    room -= for_prefixes
    for lane in lanes:
        if lane.is_decoding:
            step.put_guessed(lane, guess(lane) if guess is not None else [])
        elif room > 0:
            room -= step.put_prompt(lane, room)
    for prefix in filling:
        for_prefixes -= step.put_prefix(prefix, for_prefixes)
    return step


def _all_decoding(lanes: Sequence[Lane]) -> Step:
    """Nearly every step of a run, and all of its Python: one token of each lane, without a call for any of them."""
    return Step(
        [lane.written[-1] for lane in lanes],
        [lane.prompt_end + len(lane.written) for lane in lanes],
        [lane.sequence for lane in lanes],
        [1] * len(lanes),
        [(lane, index, ()) for index, lane in enumerate(lanes)],
        is_even=True,
    )


def share_cost(step: Step, lanes: Sequence[Lane], *, seconds: float, joules: float) -> None:
    """A step's time and energy among the owners of its tokens."""
    per_token, energy = seconds / len(step.tokens), joules / len(step.tokens)
    if step.is_even and not joules:
        for lane in lanes:
            lane.cost_s += per_token
        return
    for lane in lanes:
        tokens = 1 if step.is_even else lane.tokens_in_step
        lane.cost_s += per_token * tokens
        lane.energy_j += energy * tokens
        lane.tokens_in_step = 0
    for prefix, part in step.filled:
        prefix.cost_s += per_token * part
        prefix.energy_j += energy * part
