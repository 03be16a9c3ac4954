"""What `--engine URL` costs: its wall time over that of a bare client loop which sends the same streamed requests.

Alternating, one request at a time, each answer read to its end (fences are asked about, and no block is accepted). Without --url
it starts llama-cpp-python's own server with the demo model; answers should take a second or more, and the script says how long
they took. Aim: at most 5 %.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cpu_codegen.engine.served import ServedEngine, body_of
from cpu_codegen.engine.served_facts import Served, look
from cpu_codegen.engine.served_http import parse_address
from cpu_codegen.packaged import demo_model
from cpu_codegen.prompts.styles import fill, load_prompt_text
from cpu_codegen.schema import Generation, Request
from cpu_codegen.stats import hodges_lehmann
from cpu_codegen.suites.lowcost60 import load_lowcost60

AIM = 1.05
LONG_ENOUGH_S = 1.0
LONGEST_ANSWER = 400
NO_SUCH_FUNCTION = "no_block_defines_this"


def main() -> int:
    """Prints the ratio with its interval; 1 when its lower end is over the aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a server that is running already")
    parser.add_argument("--model", default="", help="its model, when it has several")
    parser.add_argument("--pairs", type=int, default=12)
    options = parser.parse_args()
    with contextlib.nullcontext(options.url) if options.url else own_server() as url:
        served = look(parse_address(url), options.model)
        return report(compare(served, options.pairs), served)


@dataclass(frozen=True, slots=True)
class Spent:
    """One answer: wall seconds, and CPU seconds of this process (the server's are not in them)."""

    wall_s: float
    cpu_s: float


def compare(served: Served, pairs: int) -> list[tuple[Spent, Spent]]:
    """(engine, bare) per request; who goes first alternates; the first pair warms up."""
    engine = ServedEngine(served, parallel=1)
    ask: dict[str, Callable[[Request], str]] = {
        "engine": lambda request: only(engine.run([request])).text,
        "bare": lambda request: bare(served, request),
    }
    found: list[tuple[Spent, Spent]] = []
    try:
        for number, request in enumerate(requests(pairs + 1)):
            order = ("engine", "bare") if number % 2 else ("bare", "engine")
            spent = {which: timed(ask[which], request) for which in order}
            if number:
                found.append((spent["engine"], spent["bare"]))
                walls = f"engine {spent['engine'].wall_s:.3f} s  bare {spent['bare'].wall_s:.3f} s"
                print(f"{number:3}  {walls}", file=sys.stderr)
    finally:
        engine.close()
    return found


def timed(ask: Callable[[Request], str], request: Request) -> Spent:
    """One answer by one of the two."""
    wall, cpu = time.perf_counter(), time.process_time()
    ask(request)
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def only(answers: Iterator[Generation]) -> Generation:
    """The one answer, with the engine's own end behind it."""
    (answer,) = answers
    return answer


def requests(count: int) -> Iterator[Request]:
    """Problems of our own in the longer style."""
    style = load_prompt_text("cot")
    for number, problem in zip(range(count), load_lowcost60() * (1 + count // 60), strict=False):
        text = fill(style, problem)
        yield Request(str(number), text, False, number, LONGEST_ANSWER, entry_point=NO_SUCH_FUNCTION)


def bare(served: Served, request: Request) -> str:
    """What a client must do at the least: send, read lines, parse, join."""
    address, pieces = served.address, []
    connection = http.client.HTTPConnection(address.host, address.port, timeout=600)
    body = json.dumps(body_of(request, served))
    connection.request("POST", f"{address.path}/v1/chat/completions", body, {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        while line := response.readline():
            if line.startswith(b"data:") and b"[DONE]" not in line:
                choices = json.loads(line[5:])["choices"]
                pieces.append((choices[0]["delta"].get("content") or "") if choices else "")
    connection.close()
    return "".join(pieces)


def report(found: list[tuple[Spent, Spent]], served: Served) -> int:
    """The Hodges–Lehmann estimate of the ratio, how long answers took, the client's CPU time (a busy machine moves it less)."""
    ratio = hodges_lehmann([engine.wall_s / loop.wall_s for engine, loop in found])
    length_s = statistics.median(loop.wall_s for _, loop in found)
    cpu = [statistics.median(pair[side].cpu_s for pair in found) for side in (0, 1)]
    print(f"server: {served.kind} {served.build}, model {served.model}, {len(found)} pairs")
    print(f"answers: {length_s:.2f} s" + ("" if length_s >= LONG_ENOUGH_S else f": shorter than {LONG_ENOUGH_S:g} s"))
    print(f"client's CPU an answer: engine {1000 * cpu[0]:.0f} ms, bare loop {1000 * cpu[1]:.0f} ms")
    print(f"engine / bare loop: {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] (aim: at most {AIM})")
    return int(ratio.low > AIM)


@contextlib.contextmanager
def own_server() -> Iterator[str]:
    """llama-cpp-python's server with the demo model, on a free port, ended behind us."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["--model", str(demo_model()), "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096"]
    words += ["--n_threads", "1", "--n_threads_batch", "1", "--verbose", "false"]
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen([sys.executable, "-m", "llama_cpp.server", *words], stdout=nowhere, stderr=nowhere)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers; SystemExit when it ends first (pip install fastapi uvicorn sse-starlette …)."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/v1/models", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("llama_cpp.server did not start: pip install 'llama-cpp-python[server]'")


if __name__ == "__main__":
    sys.exit(main())
