"""The scheduler on a backend of arithmetic: texts, sharing, books, costs, endings. No llama.cpp, no clock but a counted one."""

from __future__ import annotations

import itertools
import random

import pytest

from cpu_codegen.engine.admission import least_cells
from cpu_codegen.engine.events import Asked, Meters
from cpu_codegen.engine.lane import Job
from cpu_codegen.engine.prefixes import share
from cpu_codegen.engine.scheduler import Scheduler
from cpu_codegen.schema import FinishReason, Generation

from .fake import FakeBackend, job, run, scheduler_for

BLOCK = "So:\n```python\ndef f():\n    return 1\n```\nand more text\n"


def echo(prompt: str) -> str:
    """The answer of most tests."""
    return f"answer to {prompt}"


@pytest.mark.parametrize("width", [1, 2, 7, 32])
def test_a_text_does_not_depend_on_the_width(width: int) -> None:
    """Whatever else is decoded beside it, a sample gets its own answer, whole."""
    prompts = [f"a common beginning, {i}{'x' * (i % 5)}" for i in range(20)]
    found = run(scheduler_for(FakeBackend(echo), [job(p) for p in prompts], width=width))
    assert {key: g.text for key, g in found.items()} == {p: echo(p) for p in prompts}
    assert {g.finish_reason for g in found.values()} == {FinishReason.EOS}


def test_a_shared_prefix_is_decoded_once() -> None:
    """32 prompts of 256 shared and 64 own tokens cost 256 + 32 × 64 prompt tokens, and every generation says so."""
    jobs = [job("s" * 256 + chr(1000 + i) * 63) for i in range(32)]
    scheduler = scheduler_for(FakeBackend(lambda _: "ok", batch_tokens=128), jobs, width=8)
    found = run(scheduler)
    assert scheduler.totals.prefix_tokens == 256
    assert scheduler.totals.prompt_tokens == 32 * 64
    assert {(g.prompt_tokens, g.shared_prefix_tokens) for g in found.values()} == {(320, 256)}


def test_samples_of_one_prompt_share_its_prefill() -> None:
    """n samples decode the prompt once and its last token n times."""
    jobs = [job("the same prompt", key=str(i)) for i in range(10)]
    scheduler = scheduler_for(FakeBackend(echo), jobs, width=4)
    assert len(run(scheduler)) == 10
    assert (scheduler.totals.prefix_tokens, scheduler.totals.prompt_tokens) == (len("the same prompt"), 10)


def test_decoding_goes_on_while_a_long_prompt_comes_in() -> None:
    """A long prompt is fed in pieces beside the decoding samples: neither waits for the other's end."""
    backend = FakeBackend(lambda p: "y" * 30 if p == "short" else "z")
    found_at: dict[str, int] = {}
    scheduler = scheduler_for(backend, [job("short"), job("l" * 900)], width=2, chunk_tokens=16)
    while not scheduler.is_done:
        for event in scheduler.step():
            if isinstance(event, Generation):
                found_at[event.key] = len(backend.steps)
    assert found_at["short"] < found_at["l" * 900]
    assert max(backend.steps[2 : found_at["short"]]) <= 17


def test_a_prefix_is_paid_by_those_who_stood_on_it() -> None:
    """Two that had to do without it, because the only holder was taken, are no users: three pay for it, and all costs add up."""
    ticks = itertools.count()
    order = ["x1", "y1", "y2", "x2", "y3", "y4", "y5"]
    jobs = [job(name[0] * 60 + name[1], key=name) for name in order]
    meters = Meters(clock=lambda: float(next(ticks)))
    scheduler = scheduler_for(FakeBackend(echo), jobs, width=2, holders=1, meters=meters)
    found = run(scheduler)
    assert {key: g.shared_prefix_tokens for key, g in found.items()} == {
        name: 0 if name in ("y1", "y2") else 60 for name in order
    }
    assert sum(g.cost_s for g in found.values()) == pytest.approx(scheduler.totals.busy_s)


def test_costs_add_up_to_the_busy_time() -> None:
    """The sum of cost_s is the time of all steps, shared prefixes included."""
    ticks = itertools.count()
    meters = Meters(clock=lambda: next(ticks) * 0.25, joules=lambda: float(next(ticks)))
    draw = random.Random(3)
    jobs = [job("prefix " * draw.randrange(1, 4) + "p" * draw.randrange(1, 9), key=str(i)) for i in range(25)]
    scheduler = scheduler_for(FakeBackend(echo), jobs, width=5, meters=meters)
    found = run(scheduler)
    assert sum(g.cost_s for g in found.values()) == pytest.approx(scheduler.totals.busy_s)
    assert all(g.energy_j is not None and g.energy_j > 0 for g in found.values())


@pytest.mark.parametrize("holders", [0, 1, 8])
@pytest.mark.parametrize("more", [0, 60, 5000])
def test_little_memory_delays_but_never_loses(more: int, holders: int) -> None:
    """With few places in the cache or no holders, samples wait; nothing is lost, and no place is used twice."""
    jobs = [job(f"shared beginning {i % 6} then {i}", key=str(i), max_tokens=50) for i in range(24)]
    backend = FakeBackend(lambda p: p[::-1][:40])
    prefixes = share([one.tokens for one in jobs], min_span=4).prefixes
    cells = least_cells(jobs, prefixes, width=6, holders=holders) + more
    scheduler = scheduler_for(backend, jobs, width=6, cells=cells, holders=holders)
    used = 0
    found = {}
    while not scheduler.is_done:
        for event in scheduler.step():
            if isinstance(event, Generation):
                found[event.key] = event
        used = max(used, _places(backend, jobs))
    assert {key: g.text for key, g in found.items()} == {j.request.key: j.request.text[::-1][:40] for j in jobs}
    assert used <= cells
    assert backend.samplers == 0
    assert not any(backend.state.values()), "a sequence was not given back"


def test_places_of_a_prefix_are_given_back() -> None:
    """Twenty pairs, each with a beginning of its own, in a cache that holds a few: the last pair shares as the first does."""
    jobs = [job(chr(1000 + pair) * 40 + str(i), key=f"{pair} {i}", max_tokens=20) for pair in range(20) for i in (1, 2)]
    scheduler = scheduler_for(FakeBackend(lambda _: "ok"), jobs, width=2, cells=200, holders=2)
    assert {g.shared_prefix_tokens for g in run(scheduler).values()} == {40}
    assert scheduler.totals.prefix_tokens == 20 * 40


def _places(backend: FakeBackend, jobs: list[Job]) -> int:
    """Distinct (position, beginning) pairs: what a unified cache holds when copies share their places."""
    return len({(i, tuple(state[: i + 1])) for state in backend.state.values() for i in range(len(state))})


def test_a_stop_string_is_cut_off_even_when_tokens_split_it() -> None:
    """The text ends before the stop string; the reason says so."""
    backend = FakeBackend(lambda _: "code\nclass Foo: pass")
    found = run(scheduler_for(backend, [job("p", stop=("\nclass ", "\nif"))], width=1))
    assert (found["p"].text, found["p"].finish_reason) == ("code", FinishReason.STOP_STRING)


def test_length_is_shown() -> None:
    """An answer that reaches max_tokens ends with `length`, never silently."""
    found = run(scheduler_for(FakeBackend(lambda _: "abcdefgh"), [job("p", max_tokens=5)], width=1))
    assert (found["p"].text, found["p"].finish_reason, found["p"].completion_tokens) == (
        "abcde",
        FinishReason.LENGTH,
        5,
    )


def test_going_round_in_circles_is_noticed() -> None:
    """An endless cycle of tokens ends as `loop` after some hundred tokens; without the loop stop it goes on to its length."""
    jobs = [job("p"), job("q", loop_stop=False)]
    found = run(scheduler_for(FakeBackend(lambda _: "start " + "if x: " * 900), jobs, width=2))
    assert found["p"].finish_reason is FinishReason.LOOP
    assert found["p"].completion_tokens <= 300
    assert (found["q"].finish_reason, found["q"].completion_tokens) == (FinishReason.LENGTH, 1000)


def test_a_complete_answer_is_cut_at_its_fence_whenever_the_verdict_comes() -> None:
    """Immediately, some steps later, or after the model's own end: text, tokens and reason are the same."""
    results = set()
    for delay in (0, 1, 3, 1000):
        scheduler = scheduler_for(FakeBackend(lambda _: BLOCK), [job("p", entry_point="f")], width=1)
        results.add(_with_delay(scheduler, delay))
    assert results == {(BLOCK[: BLOCK.rindex("and")], FinishReason.ANSWER_COMPLETE, BLOCK.rindex("and"))}


def _with_delay(scheduler: Scheduler, delay: int) -> tuple[str, FinishReason, int]:
    pending: list[tuple[int, int]] = []
    steps = 0
    while True:
        events = [] if scheduler.is_waiting else scheduler.step()
        steps += 1
        pending += [(steps + delay, event.ticket) for event in events if hasattr(event, "ticket")]
        for due, ticket in pending:
            if steps >= due or scheduler.is_waiting:
                events += scheduler.answer(ticket, complete=True)
        for event in events:
            if isinstance(event, Generation):
                return event.text, event.finish_reason, event.completion_tokens


class Pieces(FakeBackend):
    """Writes one answer in tokens of several bytes each, cut anywhere, also within a character."""

    def __init__(self, answer: str, draw: random.Random) -> None:
        super().__init__(lambda _: "")
        data, self.cuts = answer.encode(), [0]
        while self.cuts[-1] < len(data):
            self.cuts.append(min(len(data), self.cuts[-1] + draw.randrange(1, 9)))
        self.written = [data[a:b] for a, b in itertools.pairwise(self.cuts)]

    def _next(self, state: list[int]) -> int:
        at = len(state) - state.index(1)
        return at + 1 if at <= len(self.written) else 0

    def piece(self, token: int) -> bytes:
        """The token after the prompt's mark is 2."""
        return self.written[token - 2]


@pytest.mark.parametrize("seed", range(40))
def test_a_fence_is_seen_however_tokens_cut_it(seed: int) -> None:
    """Plain tokens go unread, yet the answer ends with the token that completes the fence's line, its text whole up to there."""
    text = "Zuerst `f(x)` — größer:\n" + "y = '→'\n" * 30 + f"> {BLOCK}" + "weiter ```\n" * 9
    backend = Pieces(text, random.Random(seed))
    (found,) = run(scheduler_for(backend, [job("p", entry_point="f")], width=1), answers=lambda _: True).values()
    kept = text[: text.index("and more")]
    assert (found.text, found.finish_reason) == (kept, FinishReason.ANSWER_COMPLETE)
    assert found.completion_tokens == next(i for i, cut in enumerate(backend.cuts) if cut >= len(kept.encode()))


def test_a_block_that_does_not_complete_stops_nothing() -> None:
    """A verdict "no", or none at all, leaves the answer as the model wrote it."""
    for answers in (lambda _: False, None):
        found = run(scheduler_for(FakeBackend(lambda _: BLOCK), [job("p", entry_point="f")], width=1), answers=answers)
        assert (found["p"].text, found["p"].finish_reason) == (BLOCK, FinishReason.EOS)


def test_waiting_for_a_verdict_costs_nobody() -> None:
    """While nothing decodes no second is charged, however long the parser thinks; the next step is charged as ever."""
    now = [0.0]
    jobs = [job("p", entry_point="f")]
    scheduler = scheduler_for(FakeBackend(lambda _: BLOCK), jobs, width=1, meters=Meters(clock=lambda: now[0]))
    tickets: list[int] = []
    while not scheduler.is_waiting:
        now[0] += 1.0
        tickets += [event.ticket for event in scheduler.step() if isinstance(event, Asked)]
    busy_s = scheduler.totals.busy_s
    assert busy_s > 0
    now[0] += 1000.0
    assert [type(event) for event in scheduler.answer(tickets[0], complete=False)] == [Generation]
    scheduler.submit([job("q")])
    scheduler.step()
    now[0] += 1.0
    scheduler.step()
    assert scheduler.totals.busy_s == busy_s + 1.0


def test_a_late_answer_to_an_earlier_run_completes_nothing() -> None:
    """A run that was left may still have a question out: its ticket is never given to the next run's."""
    tickets, made = itertools.count(1), []
    for _ in range(2):
        backend = FakeBackend(lambda _: BLOCK)
        made.append(scheduler_for(backend, [job("p", entry_point="f")], width=1, tickets=tickets))
    (asked,) = _until_asked(made[0])
    _until_asked(made[1])
    assert made[1].answer(asked.ticket, complete=True) == []
    assert run(made[1])["p"].finish_reason is FinishReason.EOS


def _until_asked(scheduler: Scheduler) -> list[Asked]:
    while not (asked := [event for event in scheduler.step() if isinstance(event, Asked)]):
        pass
    return asked


def test_without_early_stop_nothing_is_asked() -> None:
    """early_stop=False runs to the model's own end."""
    asked: list[Asked] = []
    one = job("p", entry_point="f", early_stop=False)
    found = run(scheduler_for(FakeBackend(lambda _: BLOCK), [one], width=1), answers=asked.append)  # type: ignore[arg-type]
    assert found["p"].finish_reason is FinishReason.EOS
    assert not asked


def test_guessing_ahead_never_changes_a_text() -> None:
    """Right, wrong and half-right guesses: the answer is the one without guesses, in fewer steps when they are right."""
    text = "abcabcabcabd" * 8

    class Oracle:
        def __init__(self, wrong_at: int) -> None:
            self.wrong_at = wrong_at

        def guess(self, prompt: object, written: list[int], limit: int) -> list[int]:
            right = [ord(c) for c in text[len(written) : len(written) + min(4, limit)]]
            return [token if i != self.wrong_at else 33 for i, token in enumerate(right)]

        def learn(self, right: int, guessed: int) -> None:
            assert 0 <= right <= guessed

    plain = FakeBackend(lambda _: text)
    run(scheduler_for(plain, [job("p")], width=1))
    for wrong_at in (0, 2, 9):
        backend = FakeBackend(lambda _: text)
        scheduler = scheduler_for(backend, [job("p")], width=1, guesser=Oracle(wrong_at))
        assert run(scheduler)["p"].text == text
        assert len(backend.steps) < len(plain.steps) or wrong_at == 0
    assert scheduler.totals.guessed_right > 60
