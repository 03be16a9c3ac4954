"""How the tests ask the engine behind --engine URL: impatiently, for `f`."""

from __future__ import annotations

from cpu_codegen.engine.served import Retries, ServedEngine
from cpu_codegen.engine.served_facts import look
from cpu_codegen.engine.served_http import Patience, parse_address
from cpu_codegen.schema import Generation, Request
from tests.serve.standin import StandIn, chunk, pieces, streams

IMPATIENT = Patience(first_s=0.6, next_s=0.4)
QUICK = Retries(attempts=3, back_off_s=0.01)
KEPT = "Here it is:\n\n```python\ndef f(x):\n    return x + 1\n```\n"
GOOD = streams(*map(chunk, pieces()), chunk(finish="stop"), None)


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
