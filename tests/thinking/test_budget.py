"""The budget of reasoning on a backend of arithmetic: when it ends, what is fed, what counts as answer."""

from __future__ import annotations

from typing import Any

import pytest

from cpu_codegen.engine.lane import Job
from cpu_codegen.engine.reasoning import Closing
from cpu_codegen.schema import FinishReason, Generation, Thinking
from tests.engine.fake import FakeBackend, job, run, scheduler_for

FED = "\n</think>\n\n"
CODE = "```python\ndef f():\n    return 1\n```\n"


def thinking_job(prompt: str, *, budget: int, sequence: str = FED, **fields: Any) -> Job:
    """A job that may reason; tokens are characters."""
    thinking = Thinking(budget, "<think>", "</think>", sequence)
    made = job(prompt, thinking=thinking, **fields)
    closing = Closing(thinking, tuple(map(ord, sequence)), len("<think>"))
    return Job(made.request, made.tokens, closing.most_tokens + made.request.max_tokens, closing=closing)


class Thinker(FakeBackend):
    """Reasons for ever in the given words; behind a closing tag it gives its answer."""

    def __init__(self, thought: str, answer: str = CODE, *, opens: bool = True, **options: Any) -> None:
        super().__init__(lambda _: "", **options)
        self._thought, self._said, self._opens = thought, answer, opens

    def _next(self, state: list[int]) -> int:
        written = "".join(map(chr, state)).partition("\x01")[2]
        if FED in written:
            answer, at = self._said, len(written.partition(FED)[2])
        else:
            answer = ("<think>" if self._opens else "") + self._thought
            at = len(written)
        return ord(answer[at]) if at < len(answer) else 0


def one(backend: FakeBackend, made: Job, **options: Any) -> Generation:
    """The generation of a single job."""
    (found,) = run(scheduler_for(backend, [made], width=1, **options)).values()
    return found


COUNTING = "".join(f"{i}, " for i in range(9000))


def test_reasoning_ends_by_itself() -> None:
    """Its tokens are counted, none is fed, the answer has its own limit."""
    found = one(Thinker(f"short thought{FED}{CODE}"), thinking_job("p", budget=500))
    assert (found.reasoning_end, found.finish_reason) == ("model", FinishReason.EOS)
    assert found.text == f"<think>short thought{FED}{CODE}"
    assert found.reasoning_tokens == len("short thought\n</think>") + 1
    assert found.prompt_tokens == len("p") + 1


@pytest.mark.parametrize("budget", [1, 20, 333])
def test_a_spent_budget_feeds_the_closing_sequence_and_the_answer_follows(budget: int) -> None:
    """Exactly N tokens of reasoning; the sequence counts as prompt, stands in the text, and is none of the model's tokens."""
    found = one(Thinker(COUNTING), thinking_job("p", budget=budget))
    assert found.text == f"<think>{COUNTING[:budget]}{FED}{CODE}"
    assert (found.reasoning_end, found.finish_reason) == ("budget", FinishReason.EOS)
    assert found.reasoning_tokens == budget + 1
    assert found.prompt_tokens == len("p") + 1 + len(FED)
    assert found.completion_tokens == len("<think>") + budget + len(CODE)


def test_the_prompt_may_open_the_reasoning() -> None:
    """As the templates of families that always think do: every token counts from the first."""
    made = thinking_job("user: hi\n<think>\n", budget=40)
    found = one(Thinker(COUNTING, opens=False), made)
    assert found.text == f"{COUNTING[:40]}{FED}{CODE}"
    assert (found.reasoning_end, found.reasoning_tokens) == ("budget", 40)


def test_max_tokens_bounds_what_stands_outside_reasoning() -> None:
    """The answer gets all of it, however long the reasoning was; a model that does not reason gets no more."""
    long_answer = "x" * 500
    cut = one(Thinker(COUNTING, long_answer), thinking_job("p", budget=300, max_tokens=60))
    assert cut.finish_reason is FinishReason.LENGTH
    assert cut.text.partition(FED)[2] == "x" * (60 - len("<think"))
    plain = one(Thinker(long_answer, opens=False), thinking_job("p", budget=300, max_tokens=60))
    assert (plain.text, plain.reasoning_end, plain.reasoning_tokens) == ("x" * 60, "none", 0)


def test_a_block_opened_again_is_answer() -> None:
    """Its tokens count against max_tokens, and no second closing is fed."""
    again = "<think>" + "y" * 500
    found = one(Thinker(COUNTING, again), thinking_job("p", budget=10, max_tokens=100))
    assert found.text.count(FED) == 1
    assert (found.finish_reason, found.reasoning_tokens) == (FinishReason.LENGTH, 11)


def test_behind_a_prompt_that_closed_the_block_all_is_answer() -> None:
    """Reasoning switched off by an empty block: what the model opens all the same is bounded by max_tokens and counts as answer."""
    prompt = "user: hi\n<think>\n\n</think>\n\n"
    found = one(FakeBackend(lambda _: "<think>" + "y" * 500), job(prompt, max_tokens=50))
    assert (found.reasoning_end, found.reasoning_tokens, found.completion_tokens) == ("none", 0, 50)


def test_a_loop_inside_reasoning_acts_as_the_budget_does() -> None:
    """The closing sequence is fed, the answer follows; with the loop stop off the budget does it, later."""
    circle = "wait, again. " * 900
    found = one(Thinker(circle), thinking_job("p", budget=2000))
    assert (found.reasoning_end, found.finish_reason) == ("loop", FinishReason.EOS)
    assert found.text.endswith(FED + CODE)
    assert 256 <= found.reasoning_tokens <= 300
    patient = one(Thinker(circle), thinking_job("p", budget=2000, loop_stop=False))
    assert (patient.reasoning_end, patient.reasoning_tokens) == ("budget", 2001)


def test_a_loop_in_the_answer_ends_it() -> None:
    """Behind reasoning as without any."""
    found = one(Thinker(COUNTING, "ab" * 900), thinking_job("p", budget=50))
    assert (found.reasoning_end, found.finish_reason) == ("budget", FinishReason.LOOP)


def test_without_a_known_sequence_the_sample_ends_where_the_budget_does() -> None:
    """It is shown as cut at its length, and as a budget that was spent."""
    found = one(Thinker(COUNTING), thinking_job("p", budget=30, sequence=""))
    assert (found.text, found.finish_reason) == (f"<think>{COUNTING[:30]}", FinishReason.LENGTH)
    assert found.reasoning_end == "budget"


def test_nothing_is_asked_inside_reasoning_and_the_answer_stops_early() -> None:
    """A fence in the thoughts asks nothing; the closed block behind the closing sequence ends the sample."""
    backend = Thinker(f"{CODE}{COUNTING}", f"{CODE}and more text")
    made = thinking_job("p", budget=200, entry_point="f")
    asked: list[str] = []

    def decide(event: Any) -> bool:
        asked.append(event.question.code)
        return True

    (found,) = run(scheduler_for(backend, [made], width=1), answers=decide).values()
    assert asked == ["def f():\n    return 1\n"]
    assert found.finish_reason is FinishReason.ANSWER_COMPLETE
    assert found.text.endswith(FED + CODE)
    assert found.completion_tokens == len("<think>") + 200 + len(CODE)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_many_budgets_that_end_in_one_step_fit_the_batch(width: int) -> None:
    """Closing sequences longer than a batch has room for wait their turn; every text is the same as alone."""
    jobs = [thinking_job(f"p{i}", budget=25) for i in range(8)]
    found = run(scheduler_for(Thinker(COUNTING, batch_tokens=16), jobs, width=width, chunk_tokens=8))
    assert {g.text for g in found.values()} == {f"<think>{COUNTING[:25]}{FED}{CODE}"}
    assert all(g.prompt_tokens == 3 + len(FED) for g in found.values())


def test_guesses_do_not_reach_over_the_budget() -> None:
    """With a guesser at width 1 the text is the same, and the state behind a wrong guess is forgotten before the sequence."""

    class Oracle:
        def guess(self, prompt: Any, written: Any, limit: int) -> list[int]:
            text = "".join(map(chr, written))
            if FED in text:
                return []
            known = "<think>" + COUNTING
            return [ord(c) for c in known[len(text) : len(text) + min(4, limit)]]

        def learn(self, right: int, guessed: int) -> None:
            """Nothing to learn."""

    found = one(Thinker(COUNTING), thinking_job("p", budget=42), guesser=Oracle())
    assert found.text == f"<think>{COUNTING[:42]}{FED}{CODE}"


def test_seconds_of_reasoning_are_their_share_of_the_cost() -> None:
    """With steps of one second each, N tokens of reasoning cost N seconds, to within two steps."""
    from cpu_codegen.engine.events import Meters

    ticks = iter(range(100_000))
    found = one(Thinker(COUNTING), thinking_job("p", budget=100), meters=Meters(clock=lambda: float(next(ticks))))
    per_token = found.cost_s / (found.completion_tokens + len(FED))
    assert found.reasoning_s == pytest.approx(found.reasoning_tokens * per_token, rel=0.35)
    assert 0 < found.reasoning_s < found.cost_s
