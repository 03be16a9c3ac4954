"""Servers that hang, die, refuse, talk nonsense or never end: what costs a retry, what ends the run, what is an answer."""

from __future__ import annotations

import pytest

from cpu_codegen.engine.served import Retries, ServedEngine
from cpu_codegen.engine.served_facts import look
from cpu_codegen.engine.served_http import parse_address
from cpu_codegen.errors import CpuCodegenError, UnavailableError
from cpu_codegen.schema import FinishReason
from tests.serve.asking import GOOD, IMPATIENT, QUICK, ask, request
from tests.serve.standin import ANSWER, StandIn, chunk, dies, endless, hangs, pieces, slowly, status, streams

PASSING = {
    "busy": status(429, Retry_After="0"),
    "broken": status(500),
    "loading": status(503),
    "dies before a word": dies(),
    "dies in the middle": dies([chunk("Here")]),
    "hangs before a word": hangs(),
    "hangs in the middle": hangs([chunk("Here")]),
    "not JSON": streams("data: {\n\n"),
    "not an event": streams('data: ["a"]\n\n'),
    "no delta": streams({"choices": [{"index": 0}]}),
    "text that is none": streams({"choices": [{"delta": {"content": 5}}]}),
    "an error event": streams({"error": {"message": "out of memory"}}),
    "cut off": streams(chunk("Here"), None),
    "a line without end": streams("data: " + "x" * (1 << 21)),
    "only comments": lambda talk: talk.stream(slowly([": ping\n\n"] * 60, 0.05)),
    "empty events": streams(*[chunk()] * 700),
    "HTML": lambda talk: talk.stream(["<html>no</html>\n"]),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_costs_a_retry(server: StandIn, fault: str) -> None:
    """After one bad attempt the same request is answered, once, with nothing of the bad attempt in it."""
    server.script = [PASSING[fault], GOOD]
    (found,) = ask(server, request())
    assert (found.text, found.finish_reason) == (ANSWER, FinishReason.EOS)
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", ["busy", "broken", "dies in the middle", "not JSON"])
def test_a_fault_that_stays_ends_the_run(server: StandIn, fault: str) -> None:
    """Exit 4 after the last attempt; answers that were complete by then are given, none for the failed request."""
    server.script = [GOOD, *[PASSING[fault]] * QUICK.attempts]
    engine = ServedEngine(look(parse_address(server.url)), patience=IMPATIENT, retries=QUICK)
    found: list[str] = []
    with pytest.raises(UnavailableError, match="failed 3 times at one request") as caught:
        found.extend(one.key for one in engine.run([request("good"), request("bad"), request("never")]))
    engine.close()
    assert caught.value.exit_code == 4
    assert "the same command then goes on" in (caught.value.remedy or "")
    assert len(server.requests) == 1 + QUICK.attempts


def test_an_endless_stream_is_ended_by_us(server: StandIn) -> None:
    """A server that ignores max_tokens and never stops is cut at max_tokens, and one that goes in circles as a loop."""
    circle = [chunk("a "), chunk("b ")] * 2000
    server.script = [endless(), streams(*circle)]
    first, second = ask(server, request("1", max_tokens=50), request("2", max_tokens=3000))
    assert first.finish_reason is FinishReason.LENGTH
    assert second.finish_reason is FinishReason.LOOP


def test_a_stream_of_nothing_is_given_up(server: StandIn) -> None:
    """Events without text are no sign of life for ever: after twice max_tokens and some the attempt has failed."""
    server.script = [streams(*[chunk()] * 360, *map(chunk, pieces()), chunk(finish="stop"), None), GOOD]
    (found,) = ask(server, request(max_tokens=50))
    assert found.finish_reason is not None
    assert len(server.requests) == 2


def test_a_prompt_that_is_too_long_is_an_answer_not_an_error(server: StandIn) -> None:
    """400 with words about the context → prompt_too_long, which counts as no code."""
    server.script = [lambda talk: talk.json({"error": {"message": "exceeds the available context size"}}, 400)]
    first, second = ask(server, request("1"), request("2"))
    assert first.finish_reason is FinishReason.PROMPT_TOO_LONG
    assert second.finish_reason is FinishReason.EOS


def test_why_a_stream_ended_in_silence_is_asked_once(server: StandIn) -> None:
    """A plain request is told the reason: too long is an answer, any other refusal ends the run."""
    too_long = {"error": {"message": "Requested tokens (5001) exceed context window of 2048"}}
    server.script, server.plain = [dies()], (too_long, 400)
    (found,) = ask(server, request())
    assert found.finish_reason is FinishReason.PROMPT_TOO_LONG
    assert len(server.requests) == 1
    server.script, server.plain = [dies()], ({"error": {"message": "no such model"}}, 404)
    with pytest.raises(UnavailableError, match="404: no such model"):
        ask(server, request())


@pytest.mark.parametrize(("code", "remedy"), [(401, "CPU_CODEGEN_API_KEY"), (404, "mend the address"), (422, "mend")])
def test_a_refusal_is_not_asked_again(server: StandIn, code: int, remedy: str) -> None:
    """What the server understood and declined ends the run at once."""
    server.script = [status(code)]
    with pytest.raises(UnavailableError, match=f"{code}: reason {code}") as caught:
        ask(server, request())
    assert remedy in (caught.value.remedy or "")
    assert len(server.requests) == 1


def test_the_wait_grows_and_obeys_the_server() -> None:
    """It doubles, takes Retry-After where that is longer, and never passes a minute."""
    retries = Retries(back_off_s=1.0)
    waits = [retries.wait_s(failures, None) for failures in (1, 2, 3, 10)]
    assert waits == sorted(waits)
    assert 4.0 <= waits[2] <= 5.0
    assert waits[3] == 60.0
    assert retries.wait_s(1, 30.0) == 30.0
    assert retries.wait_s(1, 3600.0) == 60.0


def test_errors_are_ours(server: StandIn) -> None:
    """Whatever the server does, what is raised has a cause and a remedy."""
    server.script = [PASSING["HTML"]] * 3
    with pytest.raises(CpuCodegenError) as caught:
        ask(server, request())
    assert caught.value.remedy
