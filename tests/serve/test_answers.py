"""Good answers through --engine URL: what is asked for, where an answer ends, what it cost."""

from __future__ import annotations

import os
import time

import pytest

from cpu_codegen.engine.served import CLIENT_SIDE, SERVERS_OWN, ServedEngine
from cpu_codegen.engine.served_facts import look
from cpu_codegen.engine.served_http import parse_address
from cpu_codegen.engine.served_queue import Shares
from cpu_codegen.schema import FinishReason, Sampling
from tests.serve.asking import IMPATIENT, KEPT, ask, request
from tests.serve.standin import ANSWER, StandIn, chunk, endless, pieces, slowly, streams


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
