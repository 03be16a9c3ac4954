"""The engine behind `--engine URL`: an OpenAI-compatible server generates, everything else stays here.

Every sampler value is sent; the connection is closed when the answer is complete. A request that fails is asked again after a
growing wait; one that keeps failing ends the run (exit 4) and leaves no line, so that the same command asks it again. Seconds are
the client's, network and the server's queue included, unless the server sends its own. `cost_s` shares the wall time equally among
the requests that are open, so the costs add up to the time in which the server was busy for us.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cpu_codegen.engine.completeness import Completeness
from cpu_codegen.engine.meters import EnergyMeter, energy_meter
from cpu_codegen.engine.protocol import BEAT_S, EngineInfo, Feel, Pulse, TimeLimit
from cpu_codegen.engine.served_facts import Served, no_server, peak_memory
from cpu_codegen.engine.served_http import Patience, Refused, Stream, Trouble, ask
from cpu_codegen.engine.served_queue import Shares, Waiting
from cpu_codegen.engine.served_reply import Reply
from cpu_codegen.errors import UnavailableError, UsageError
from cpu_codegen.schema import FinishReason, Generation, Request

ATTEMPTS = 6
BACK_OFF_S = 1.0
LONGEST_WAIT_S = 60.0
AFTER_END_S = 2.0
CLIENT_SIDE = "client-side"
SERVERS_OWN = "the server's own (time to first token: client-side)"
_TOO_LONG = ("context", "too long", "maximum length", "exceed")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent, and the wait behind the first failure; it doubles with each."""

    attempts: int = ATTEMPTS
    back_off_s: float = BACK_OFF_S

    def wait_s(self, failures: int, asked_s: float | None) -> float:
        """What the server asks for, else doubling with a little chance in it; never over a minute."""
        own = self.back_off_s * 2.0 ** (failures - 1) * random.uniform(1.0, 1.25)
        return min(LONGEST_WAIT_S, max(asked_s or 0.0, own))


class ServedEngine:
    """Answers requests through the server, `width` at once."""

    def __init__(
        self,
        served: Served,
        *,
        parallel: int | Literal["auto"] = "auto",
        patience: Patience | None = None,
        retries: Retries | None = None,
    ) -> None:
        self._served = served
        self._patience, self._retries = patience or Patience(), retries or Retries()
        self._completeness = Completeness()
        self._stopped = threading.Event()
        self._streams: set[Stream] = set()
        self._replies: dict[str, Reply] = {}
        self._energy = _meter(served)
        self._shares = Shares(self._energy.joules)
        self._began_s: float | None = None
        width = _width(served, parallel)
        self._info = EngineInfo(
            kind="served",
            width=width,
            threads=0,
            load_s=0.0,
            build=f"{served.kind} {served.build}".strip(),
            model=served.model,
            energy=self._energy.label,
            timings=SERVERS_OWN if served.kind == "llama-server" else CLIENT_SIDE,
        )

    @property
    def info(self) -> EngineInfo:
        """The server, and how many requests it is sent at once."""
        return self._info

    def close(self) -> None:
        """Closes all connections; may be called twice."""
        self._halt()
        self._completeness.close()

    def _halt(self) -> None:
        """Ends what is open; the threads see it and stop."""
        self._stopped.set()
        for stream in list(self._streams):
            stream.close()

    def run(
        self, requests: Iterable[Request], *, within: TimeLimit | None = None, feel: Feel | None = None
    ) -> Iterator[Generation]:
        """All generations, in the order in which they end; fewer where time is limited. UnavailableError when one cannot be had."""
        self._began_s = self._began_s if self._began_s is not None else time.perf_counter()
        requests = list(requests)
        self._stopped.clear()
        waiting = Waiting(requests, within)
        ended: queue.SimpleQueue[Generation | BaseException | None] = queue.SimpleQueue()
        count = min(waiting.left, self._info.width)
        workers = [threading.Thread(target=self._work, args=(waiting, ended), daemon=True) for _ in range(count)]
        for worker in workers:
            worker.start()
        if any(request.early_stop and request.entry_point for request in requests):
            self._completeness.decide("", "")  # starts the parser in this thread: its process would die with a worker's
        at_work = count
        try:
            while at_work:
                found = _next(ended, within)
                if found == "nothing yet":
                    if feel is not None:
                        feel(self._pulse())
                    continue
                if isinstance(found, BaseException):
                    raise found
                if found is None:
                    at_work -= 1
                    continue
                waiting.ended(found)
                yield found
        except _OutOfTime:
            waiting.cut()
        finally:
            if at_work:
                self._halt()
            for worker in workers:
                worker.join(2.0)

    def _pulse(self) -> Pulse:
        """One piece of text is counted as one token, as in Reply."""
        replies = list(self._replies.values())
        memory = peak_memory(self._served.pid) if self._served.pid else None
        return Pulse(len(replies), sum(len(reply.pieces) for reply in replies), peak_rss_bytes=memory)

    def _work(self, waiting: Waiting, ended: queue.SimpleQueue[Generation | BaseException | None]) -> None:
        """One of the threads: takes requests until there are none, then says so with None."""
        try:
            while not self._stopped.is_set() and (request := waiting.take()) is not None:
                ended.put(self._answer(request))
            ended.put(None)
        except BaseException as error:  # handed to the thread that waits for it
            ended.put(error)

    # ── one request ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self, request: Request) -> Generation:
        failures = 0
        while True:
            try:
                return self._attempt(request)
            except Trouble as trouble:
                failures += 1
                if trouble.without_a_word and failures == 1 and (why := self._why(request)) is not None:
                    return why
                if failures >= self._retries.attempts or self._stopped.is_set():
                    raise self._given_up(trouble, failures) from trouble
                self._stopped.wait(self._retries.wait_s(failures, trouble.wait_s))
            except Refused as refusal:
                return self._refused(request, refusal)

    def _refused(self, request: Request, refusal: Refused) -> Generation:
        """A prompt that does not fit is an answer; any other refusal ends the run."""
        if refusal.status in (400, 413) and any(word in refusal.message.lower() for word in _TOO_LONG):
            return Generation(request.key, "", FinishReason.PROMPT_TOO_LONG, error=refusal.message)
        raise no_server(self._served.address, refusal) from refusal

    def _why(self, request: Request) -> Generation | None:
        """llama-cpp-python's server ends a stream in silence where a plain request is told why: the prompt is too long."""
        plain = {**body_of(request, self._served), "stream": False, "max_tokens": 1}
        del plain["stream_options"]
        try:
            ask(self._served.address, "/v1/chat/completions", plain)
        except Refused as refusal:
            return self._refused(request, refusal)
        except Trouble:
            pass  # the streamed request is tried again, and says what it says
        return None

    def _given_up(self, trouble: Trouble, failures: int) -> UnavailableError:
        return UnavailableError(
            f"the server at {self._served.address.url} failed {failures} times at one request: {trouble}",
            remedy="see the server's log; the same command then goes on",
        )

    def _attempt(self, request: Request) -> Generation:
        """Sends the request once and reads until the answer is complete."""
        reply = self._replies[request.key] = Reply(request, self._completeness.decide)
        stream = Stream(self._served.address, body_of(request, self._served), self._patience)
        self._streams.add(stream)
        self._shares.enter(request.key)
        try:
            _read(stream, reply)
        finally:
            stream.close()
            self._streams.discard(stream)
            self._replies.pop(request.key, None)
            cost_s, energy_j = self._shares.leave(request.key)
        offset_s = reply.began_s - (self._began_s or reply.began_s)
        return reply.generation(
            queue_s=offset_s,
            start_offset_s=offset_s,
            ttft_s=reply.first_token_s if self._info.width == 1 else None,
            cost_s=cost_s,
            energy_j=energy_j,
            width=self._info.width,
            peak_rss_bytes=peak_memory(self._served.pid) if self._served.pid else None,
        )


class _OutOfTime(Exception):
    """The time limit has passed while requests are open."""


def body_of(request: Request, served: Served) -> dict[str, Any]:
    """The chat completion that is asked for: no value is left to the server's defaults, whatever they are.

    Beside OpenAI's names stand llama.cpp's (top_k, min_p, repeat_penalty and the samplers that its server switches on by itself);
    servers that do not know them pass them over, and for greedy answers temperature 0 alone decides.
    """
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": served.model,
        "messages": [{"role": "user", "content": request.text}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repeat_penalty": 1.0,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if served.kind == "llama-server":
        body |= {"typical_p": 1.0, "mirostat": 0, "dry_multiplier": 0.0, "xtc_probability": 0.0, "dynatemp_range": 0.0}
        body |= {"top_n_sigma": -1.0, "cache_prompt": True, "timings_per_token": True}
    return body


def _read(stream: Stream, reply: Reply) -> None:
    """Until the answer is complete; behind the model's own end only counts are waited for, and not for long."""
    try:
        for event in stream.events():
            if reply.take(event):
                return
            if reply.ended is not None:
                stream.next_s = AFTER_END_S
    except Trouble:
        if reply.ended is None:
            raise
    reply.close()


def _next(
    ended: queue.SimpleQueue[Generation | BaseException | None], within: TimeLimit | None
) -> Generation | BaseException | Literal["nothing yet"] | None:
    """Waits in short turns: on Windows nothing else lets a Ctrl-C through, a time limit may pass, and a bar wants to move."""
    left_s = within.left_s() if within is not None else BEAT_S
    try:
        return ended.get(timeout=max(0.0, min(BEAT_S, left_s)))
    except queue.Empty:
        if left_s <= 0:
            raise _OutOfTime from None
        return "nothing yet"


def _width(served: Served, parallel: int | Literal["auto"]) -> int:
    if parallel == "auto":
        return served.slots or 1
    if served.kind == "llama-cpp-python" and parallel > 1:
        raise UsageError(
            "llama-cpp-python's server answers one request at a time, and a second one cuts the first off",
            remedy="--parallel 1, or serve the model with llama-server -np N",
        )
    return parallel


def _meter(served: Served) -> EnergyMeter:
    """The machine's counter, where the server runs on this machine and its process is known."""
    if not served.is_local:
        return EnergyMeter(None, why="the server is on another machine")
    if served.pid is None:
        return EnergyMeter(None, why="the server's process is not known")
    return energy_meter()
