"""Whom the engine asks and how much: deadlines, a run that is left, addresses, servers that take one request at a time."""

from __future__ import annotations

import time

import pytest

from cpu_codegen.engine.protocol import Pulse, TimeLimit
from cpu_codegen.engine.served import ServedEngine
from cpu_codegen.engine.served_facts import look
from cpu_codegen.engine.served_http import Patience, parse_address
from cpu_codegen.engine.served_queue import Waiting
from cpu_codegen.errors import UnavailableError, UsageError
from cpu_codegen.schema import FinishReason, Generation
from tests.serve.asking import GOOD, IMPATIENT, QUICK, request
from tests.serve.standin import StandIn, endless


def test_no_request_is_begun_that_cannot_end_in_time() -> None:
    """At the slowest speed seen, for max_tokens tokens; what each costs later is kept free."""
    left = [100.0]
    waiting = Waiting([request(str(n), max_tokens=100) for n in range(4)], TimeLimit(lambda: left[0], each_s=1.0))
    first = waiting.take()
    assert first is not None
    waiting.ended(Generation(first.key, "", FinishReason.EOS, completion_tokens=10, prefill_s=1.0, decode_s=4.0))
    assert waiting.take() is not None  # 100 s left, 2 kept, 50 expected
    left[0] = 52.0
    assert waiting.take() is None


def test_at_the_deadline_what_is_open_is_late(server: StandIn) -> None:
    """The run ends at once; complete answers are given, the open one is named. Until then the open one is felt to grow."""
    server.script = [GOOD, endless(pause_s=0.01)]
    pulses: list[Pulse] = []

    def left_s() -> float:
        """Time is up when the second answer has grown, however slow this machine is."""
        return 0.0 if len({pulse.open_tokens for pulse in pulses if pulse.open_tokens}) > 1 else 1e6

    def feel(pulse: Pulse) -> None:
        if len(server.requests) == 2:
            pulses.append(pulse)

    within = TimeLimit(left_s)
    engine = ServedEngine(look(parse_address(server.url)), patience=Patience(30, 30))
    asked = [request("1"), request("2", max_tokens=2000), request("3")]
    found = [one.key for one in engine.run(asked, within=within, feel=feel)]
    engine.close()
    assert {pulse.open for pulse in pulses if pulse.open_tokens} == {1}
    assert (found, within.late) == (["1"], ["2"])
    assert len(server.requests) == 2


def test_an_engine_may_run_again_after_a_run_was_left(server: StandIn) -> None:
    """Leaving one loop early ends that run, not the engine."""
    engine = ServedEngine(look(parse_address(server.url)), patience=IMPATIENT, retries=QUICK)
    first = next(iter(engine.run([request("1"), request("2")])))
    second = list(engine.run([request("3")]))
    engine.close()
    assert (first.key, [one.key for one in second]) == ("1", ["3"])


def test_stopping_in_the_middle_closes_the_connections(server: StandIn) -> None:
    """Whoever leaves the loop early (Ctrl-C) waits for no answer."""
    server.script = [GOOD, endless(pause_s=0.01)]
    engine = ServedEngine(look(parse_address(server.url)), patience=Patience(30, 30))
    answers = engine.run([request("1"), request("2", max_tokens=100_000)])
    assert next(iter(answers)).key == "1"
    began = time.monotonic()
    answers.close()  # type: ignore[attr-defined]
    engine.close()
    assert time.monotonic() - began < 4


def test_a_second_request_is_not_sent_to_a_server_that_would_cut_the_first(server: StandIn) -> None:
    """llama-cpp-python's server interrupts a stream when another request comes."""
    server.paths["/openapi.json"] = {"info": {"title": "🦙 llama.cpp Python API", "version": "0.3.36"}}
    served = look(parse_address(server.url))
    assert (served.kind, served.slots) == ("llama-cpp-python", 1)
    with pytest.raises(UsageError, match="one request at a time"):
        ServedEngine(served, parallel=2)


def test_nobody_there_is_exit_4() -> None:
    """A port on which nothing listens."""
    with pytest.raises(UnavailableError, match="gives no answer") as caught:
        look(parse_address("http://127.0.0.1:9"))
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "text", ["localhost:8080", "ftp://a", "http://", "http://u:p@h", "http://h?x=1", "http://h:99999"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Exit 2, with an example."""
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "http://127.0.0.1:8080" in (caught.value.remedy or "")


def test_v1_at_the_end_of_an_address_does_not_matter() -> None:
    """People paste either."""
    assert parse_address("http://h:8080/v1/") == parse_address("http://h:8080")
    assert parse_address("https://h/api/v1").url == "https://h:443/api"
