"""The engine behind --engine URL against a stand-in server that behaves, and one that does not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from cpu_codegen.engine.protocol import Pulse, TimeLimit
from cpu_codegen.engine.served import CLIENT_SIDE, SERVERS_OWN, Retries, ServedEngine
from cpu_codegen.engine.served_facts import look
from cpu_codegen.engine.served_http import Patience, parse_address
from cpu_codegen.engine.served_queue import Shares, Waiting
from cpu_codegen.errors import CpuCodegenError, UnavailableError, UsageError
from cpu_codegen.schema import FinishReason, Generation, Request, Sampling
from tests.serve.standin import ANSWER, StandIn, chunk, dies, endless, hangs, pieces, serving, slowly, status, streams

IMPATIENT = Patience(first_s=0.6, next_s=0.4)
QUICK = Retries(attempts=3, back_off_s=0.01)
KEPT = "Here it is:\n\n```python\ndef f(x):\n    return x + 1\n```\n"


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A server that behaves unless told otherwise."""
    with serving(StandIn()) as standin:
        yield standin


def ask(server: StandIn, *requests: Request, parallel: int = 1, retries: Retries = QUICK) -> list[Generation]:
    """All answers."""
    engine = ServedEngine(look(parse_address(server.url)), parallel=parallel, patience=IMPATIENT, retries=retries)
    try:
        return list(engine.run(requests))
    finally:
        engine.close()


def request(key: str = "k", **fields: object) -> Request:
    """A request for `f`, up to the server's own end unless early stop is asked for: that starts a parser."""
    known: dict[str, object] = {
        "entry_point": "f",
        "early_stop": False,
        "max_tokens": 200,
        "seed": 7,
        "add_special": False,
        "text": "Write f.",
    }
    return Request(key=key, **{**known, **fields})  # type: ignore[arg-type]


# ── good answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_ends_at_its_block_and_the_connection_is_closed(server: StandIn) -> None:
    """The text is kept up to the closing fence; the server, which would go on, sees the connection end."""
    server.script = [lambda talk: talk.stream(slowly([*map(chunk, pieces(KEPT)), *map(chunk, ["on "] * 900)], 0.002))]
    (found,) = ask(server, request(early_stop=True))
    assert found.finish_reason is FinishReason.ANSWER_COMPLETE
    assert found.text == KEPT
    deadline = time.monotonic() + 5
    while not server.cut and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.cut == 1


def test_without_early_stop_the_whole_answer_comes(server: StandIn) -> None:
    """`--no-early-stop`: up to the server's own end."""
    (found,) = ask(server, request())
    assert found.finish_reason is FinishReason.EOS
    assert found.text == ANSWER
    assert found.completion_tokens == len(pieces())


def test_every_sampler_value_is_sent(server: StandIn) -> None:
    """Nothing is left to the server's defaults: temperature, top-p, top-k, min-p, penalties, seed, length."""
    sampled = Sampling(temperature=0.7, top_p=0.9, top_k=40, min_p=0.05)
    ask(server, request(sampling=sampled), request("g"))
    first, greedy = server.requests
    assert {name: first[name] for name in ("temperature", "top_p", "top_k", "min_p", "seed", "max_tokens")} == {
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.05,
        "seed": 7,
        "max_tokens": 200,
    }
    assert (first["repeat_penalty"], first["presence_penalty"], first["frequency_penalty"]) == (1.0, 0.0, 0.0)
    assert greedy["temperature"] == 0
    assert greedy["stream"] is True
    assert greedy["messages"] == [{"role": "user", "content": "Write f."}]
    assert greedy["model"] == "small"


def test_the_servers_own_counts_and_times_are_taken(server: StandIn) -> None:
    """llama-server's `timings` give prefill, decode and tokens; the label says whose clock it is."""
    server.paths["/props"] = {"default_generation_settings": {"n_ctx": 2048}, "total_slots": 3, "build_info": "b9"}
    told = {"prompt_n": 10, "cache_n": 30, "prompt_ms": 250.0, "predicted_n": 9, "predicted_ms": 900.0}
    server.script = [streams(*map(chunk, pieces()), chunk(finish="stop", timings=told), None)]
    engine = ServedEngine(look(parse_address(server.url)), patience=IMPATIENT)
    (found,) = engine.run([request()])
    engine.close()
    assert (found.prompt_tokens, found.shared_prefix_tokens, found.completion_tokens) == (40, 30, 9)
    assert (found.prefill_s, found.decode_s) == (0.25, 0.9)
    assert engine.info.timings == SERVERS_OWN
    assert engine.info.width == 3  # its slots
    assert server.requests[0]["timings_per_token"] is True


def test_times_are_the_clients_where_the_server_sends_none(server: StandIn) -> None:
    """And time to first token stands only where one stream runs alone."""
    server.script = [lambda talk: talk.stream(slowly([*map(chunk, pieces()), chunk(finish="stop"), None], 0.01))]
    (found,) = ask(server, request())
    assert found.ttft_s is not None
    assert found.ttft_s >= 0.01
    assert found.decode_s >= 0.01 * (len(pieces()) - 2)
    assert found.cost_s >= found.ttft_s + found.decode_s
    engine = ServedEngine(look(parse_address(server.url)), parallel=2)
    assert engine.info.timings == CLIENT_SIDE
    assert [one.ttft_s for one in engine.run([request("a"), request("b")])] == [None, None]
    engine.close()


def test_as_many_requests_are_open_as_asked_for(server: StandIn) -> None:
    """--parallel 3 is three at once, never more; every request gets its answer once."""
    server.script = [
        lambda talk: talk.stream(slowly([*map(chunk, pieces()), chunk(finish="stop"), None], 0.005)) for _ in range(7)
    ]
    found = ask(server, *(request(str(number)) for number in range(7)), parallel=3)
    assert sorted(one.key for one in found) == [str(number) for number in range(7)]
    assert server.most_at_once == 3
    assert {one.width for one in found} == {3}


def test_costs_add_up_to_the_busy_time() -> None:
    """Two requests that overlap share the seconds in which both are open."""
    now, joules = [0.0], [0.0]
    shares = Shares(lambda: joules[0], clock=lambda: now[0])
    shares.enter("a")
    now[0], joules[0] = 2.0, 20.0
    shares.enter("b")
    now[0], joules[0] = 6.0, 60.0
    assert shares.leave("a") == (4.0, 40.0)
    now[0], joules[0] = 7.0, 70.0
    assert shares.leave("b") == (3.0, 30.0)


def test_reasoning_that_comes_apart_is_put_back_between_tags(server: StandIn) -> None:
    """A block inside the reasoning does not end the answer; its tokens are counted."""
    thought = [{"choices": [{"delta": {"reasoning_content": part}}]} for part in pieces(KEPT)]
    server.script = [streams(*thought, *map(chunk, pieces()), chunk(finish="stop"), None)]
    (found,) = ask(server, request(early_stop=True))
    assert found.text == f"<think>{KEPT}</think>{KEPT}"
    assert found.reasoning_end == "model"
    assert found.reasoning_tokens == len(thought)


def test_an_answer_may_come_in_one_piece_beside_an_error_that_is_none(server: StandIn) -> None:
    """Gateways gather what they pass on, and some name every field; what is longer than max_tokens can be is cut."""
    long = ANSWER + "# and so on\n" * 800
    server.script = [streams(chunk(long, error=None), chunk(finish="stop", error=None), None)]
    (found,) = ask(server, request(max_tokens=3000))
    assert (found.text, found.finish_reason) == (long, FinishReason.EOS)
    server.script = [streams(*[chunk("x" * 9000)] * 100)]
    (found,) = ask(server, request(max_tokens=50))
    assert found.finish_reason is FinishReason.LENGTH
    assert len(found.text) < 3 * 9000
    assert len(server.requests) == 2


def test_a_stop_string_ends_the_answer(server: StandIn) -> None:
    """Split over pieces, and cut away."""
    (found,) = ask(server, request(stop=("adds",)))
    assert found.finish_reason is FinishReason.STOP_STRING
    assert found.text == ANSWER[: ANSWER.index("adds")]
    assert server.requests[0]["stop"] == ["adds"]


def test_length_is_told(server: StandIn) -> None:
    """The server's `length`, and our own count where the server does not keep to max_tokens."""
    server.script = [streams(chunk("a"), chunk("b", finish="length"), None), endless()]
    first, second = ask(server, request("1"), request("2", max_tokens=20))
    assert (first.finish_reason, first.text) == (FinishReason.LENGTH, "ab")
    assert (second.finish_reason, second.completion_tokens) == (FinishReason.LENGTH, 20)


def test_a_key_is_sent_when_one_is_set(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU_CODEGEN_API_KEY → Authorization."""
    monkeypatch.setenv("CPU_CODEGEN_API_KEY", "s3cret")
    ask(server, request())
    assert server.keys == ["Bearer s3cret"]


def test_memory_is_read_only_of_a_known_process_here(server: StandIn) -> None:
    """The stand-in runs in this very process, which listens on its port."""
    (found,) = ask(server, request())
    assert look(parse_address(server.url)).pid == os.getpid()
    assert found.peak_rss_bytes is not None
    assert found.peak_rss_bytes > 10_000_000


# ── bad servers ──────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = streams(*map(chunk, pieces()), chunk(finish="stop"), None)

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


# ── who is asked ─────────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_errors_are_ours(server: StandIn) -> None:
    """Whatever the server does, what is raised has a cause and a remedy."""
    server.script = [PASSING["HTML"]] * 3
    with pytest.raises(CpuCodegenError) as caught:
        ask(server, request())
    assert caught.value.remedy
