"""Stopping early changes no outcome: over recorded answers, the code found in a stopped text is that of the whole text."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from cpu_codegen.engine.completeness import Completeness
from cpu_codegen.engine.events import Asked, Event
from cpu_codegen.extraction.answer import extract
from cpu_codegen.sandbox.inside.outline import outline
from cpu_codegen.schema import FinishReason, Outline, OutlineItem

from .fake import FakeBackend, job, run, scheduler_for

STATEMENT = "def add(x, y):\n    '''Add.'''\n"
BODY = "def add(x, y):\n    return x + y\n"
FENCED = f"```python\n{BODY}```\n"

RECORDED = {
    "prose around": f"Sure:\n\n{FENCED}\nThis adds two numbers.\n",
    "a second block": f"{FENCED}\nOr:\n\n```python\ndef add(x, y):\n    return y + x\n```\n",
    "stub first": f"```python\n{STATEMENT}```\nand filled in:\n{FENCED}",
    "helper first": f"```python\ndef h():\n    return 1\n```\n```python\ndef add(x, y):\n    return h()\n```\n{FENCED}",
    "example first": f"```python\nprint(add(1, 2))\n```\n{FENCED}More.\n",
    "syntax error first": f"```python\ndef add(x y):\n    return\n```\nOops.\n{FENCED}",
    "shell first": f"```bash\npip install add\n```\n{FENCED}",
    "reasoning": f"<think>\n```python\ndef add(x, y):\n    return 0\n```\n</think>\n{FENCED}done\n",
    "in a list": "1. Code:\n\n   ```python\n   def add(x, y):\n       return x + y\n   ```\n2. Text\n",
    "tildes": f"~~~python\n{BODY}~~~\nbye\n",
    "prompts": "```python\n>>> def add(x, y):\n...     return 1\n```\n" + FENCED,
    "unclosed": f"```python\n{BODY}",
    "no block": "I cannot do that.\n",
}


def parse(text: str) -> Outline:
    """The sandboxed parser's own function, in this process: these texts are ours."""
    items, error, line = outline(text)
    made = []
    for kind, first, last, defines, uses, has_return, has_body, decorated in items:
        made.append(OutlineItem(kind, first, last, tuple(defines), tuple(uses), has_return, has_body, decorated))
    return Outline(tuple(made), error, line)


def complete(event: Event) -> bool:
    """What Completeness.decide says, without a sandbox."""
    assert isinstance(event, Asked)
    return any(event.entry_point in i.defines and i.has_body for i in parse(event.question.code).items)


def code_of(raw: str) -> str:
    """What would be executed."""
    return extract(raw, entry_point="add", statement=STATEMENT, parse=parse).code


def stopped(raw: str) -> tuple[str, FinishReason]:
    """The answer as a run with early stop keeps it."""
    one = job("p", entry_point="add", max_tokens=100_000)
    generation = run(scheduler_for(FakeBackend(lambda _: raw), [one], width=1, cells=300_000), answers=complete)["p"]
    return generation.text, generation.finish_reason


@pytest.mark.parametrize("name", RECORDED)
def test_stopping_changes_no_code(name: str) -> None:
    """The kept text begins the whole one, and both give the same program."""
    raw = RECORDED[name]
    kept, reason = stopped(raw)
    assert raw.startswith(kept)
    assert code_of(kept) == code_of(raw)
    assert (reason is FinishReason.ANSWER_COMPLETE) == (name not in ("unclosed", "no block"))


def test_stopping_changes_no_code_of_the_shared_samples(shared: Path) -> None:
    """The same over all answers of extraction.jsonl."""
    lines = (shared / "samples" / "extraction.jsonl").read_text(encoding="utf-8").splitlines()
    stops = 0
    for case in map(json.loads, lines):
        kept, reason = stopped(case["raw"] + "\n")
        assert code_of(kept) == code_of(case["raw"] + "\n"), case["case"]
        stops += reason is FinishReason.ANSWER_COMPLETE
    assert stops >= 4


def test_the_sandboxed_parser_decides() -> None:
    """A real body completes; a stub, another name, a syntax error, a monster and hostile depth do not."""
    with Completeness() as asked:
        assert asked.decide(BODY, "add")
        for code in (STATEMENT, "x = 1\n", "def add(:\n", "x\n" * 40_000, "(" * 5_000 + BODY):
            assert not asked.decide(code, "add")
        assert asked.decide(BODY, "add"), "a parser that died is replaced"


def test_a_parser_that_is_just_starting_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine ends while another thread starts the parser: nothing is left behind, and nothing starts any more."""
    from cpu_codegen.sandbox import parser

    started, go_on, ended = threading.Event(), threading.Event(), list[str]()

    class Slow:
        def outline(self, text: str, timeout_s: float, **_: int) -> Outline:
            return Outline((), "", None)

        def close(self) -> None:
            ended.append("parser")

    def open_slowly() -> Slow:
        started.set()
        assert go_on.wait(20)
        return Slow()

    monkeypatch.setattr(parser, "open_parser", open_slowly)
    asked = Completeness()
    asking = threading.Thread(target=asked.decide, args=(BODY, "add"))
    asking.start()
    assert started.wait(20)
    closing = threading.Thread(target=asked.close)
    closing.start()
    go_on.set()
    for thread in (asking, closing):
        thread.join(20)
    assert ended == ["parser"]
    assert not asked.decide(BODY, "add")
