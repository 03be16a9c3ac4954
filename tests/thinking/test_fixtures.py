"""--think on two real GGUFs made here: one trained both ways behind its switch, one that never closes its reasoning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cpu_codegen.columns.generate import request_for
from cpu_codegen.config import RunConfig, Settings, Think
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import prepare
from cpu_codegen.schema import FinishReason, Generation
from tests.conftest import REPO

pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.model

DATA = REPO / "tests" / "data"
THINKER, ENDLESS = DATA / "thinker.gguf", DATA / "endless.gguf"
KNOWN = ("ferry_peak", "sign_painter", "locker_twins", "wait_savings")
CLOSED = "\n</think>\n\n"


def opened(path: Path) -> Iterator[LlamaEngine]:
    """An engine of width 4 on one thread."""
    with LlamaEngine(EngineSettings(str(path), "", ctx_tokens=4096, threads=1, parallel=4)) as engine:
        yield engine


@pytest.fixture(scope="module")
def thinker() -> Iterator[LlamaEngine]:
    """The one that can be switched."""
    yield from opened(THINKER)


@pytest.fixture(scope="module")
def endless() -> Iterator[LlamaEngine]:
    """The one that never closes its reasoning."""
    yield from opened(ENDLESS)


def answers(
    engine: LlamaEngine, path: Path, think: Think, *, max_tokens: int = 200, loops: bool = True
) -> list[Generation]:
    """The four known problems, asked as a run asks them; what was asked before is not asked again."""
    asked = (path, think, max_tokens, loops)
    if asked not in _ASKED:
        settings = Settings(think=think, max_tokens=max_tokens, loop_stop=loops)
        config = RunConfig(model=str(path), ids=KNOWN, settings=settings)
        _ASKED[asked] = list(engine.run([request_for(sample, config) for sample in prepare(config).samples]))
    return _ASKED[asked]


_ASKED: dict[tuple[object, ...], list[Generation]] = {}


def test_the_fixtures_are_small() -> None:
    """At most 2 MB each: they are in the repository, and for tests only."""
    assert all(path.stat().st_size <= 2_000_000 for path in (THINKER, ENDLESS))


def test_the_switch_decides_whether_it_reasons(thinker: LlamaEngine) -> None:
    """On, it reasons first and closes by itself; off, it answers at once. Both ways it gives fenced code."""
    on, off = answers(thinker, THINKER, "on"), answers(thinker, THINKER, "off")
    assert {g.reasoning_end for g in on} == {"model"}
    assert all(g.text.startswith("<think>") and g.text.count("</think>") == 1 for g in on)
    assert all(0 < g.reasoning_tokens < g.completion_tokens and 0 < g.reasoning_s < g.cost_s for g in on)
    assert {g.reasoning_end for g in off} == {"none"}
    assert all("<think>" not in g.text and g.reasoning_tokens == 0 and g.reasoning_s == 0 for g in off)
    assert all("```python\n" in g.text for g in [*on, *off])


def test_auto_is_what_the_template_does_unasked(thinker: LlamaEngine) -> None:
    """This one reasons: the same texts as with --think on."""
    texts = [{g.text for g in answers(thinker, THINKER, think)} for think in ("auto", "on")]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("budget", [8, 40])
def test_a_budget_cuts_the_reasoning_and_the_answer_comes_all_the_same(thinker: LlamaEngine, budget: int) -> None:
    """N tokens behind the tag, then the closing sequence as prompt tokens, then code."""
    full = {g.key: g.prompt_tokens for g in answers(thinker, THINKER, "on")}
    cut = answers(thinker, THINKER, budget)
    assert {g.reasoning_end for g in cut} == {"budget"}
    assert {g.reasoning_tokens for g in cut} == {budget + 1}
    assert all(CLOSED in g.text and "```python\n" in g.text.partition(CLOSED)[2] for g in cut)
    fed = {g.prompt_tokens for g in cut}
    assert min(fed) > min(full.values()), "the fed tokens are the prompt's"


def test_max_tokens_bounds_the_answer_alone(thinker: LlamaEngine) -> None:
    """Reasoning of some hundred tokens leaves an answer of twelve its twelve."""
    found = answers(thinker, THINKER, "on", max_tokens=12)
    assert {g.finish_reason for g in found} == {FinishReason.LENGTH}
    assert {g.completion_tokens - g.reasoning_tokens for g in found} == {12}
    assert min(g.reasoning_tokens for g in found) > 12


def test_what_never_closes_is_stopped_by_the_loop_rule(endless: LlamaEngine) -> None:
    """The prompt opened its reasoning; a circle of ≥ 8 repeats acts as the budget does, and the answer comes."""
    found = answers(endless, ENDLESS, "auto")
    assert {g.reasoning_end for g in found} == {"loop"}
    assert all(256 <= g.reasoning_tokens <= 600 for g in found)
    assert all("```python\n" in g.text.partition(CLOSED)[2] for g in found)


def test_without_the_loop_stop_the_budget_ends_it(endless: LlamaEngine) -> None:
    """At exactly N tokens, and the answer comes as well."""
    found = answers(endless, ENDLESS, 400, loops=False)
    assert {(g.reasoning_end, g.reasoning_tokens) for g in found} == {("budget", 400)}
    assert all("```python\n" in g.text.partition(CLOSED)[2] for g in found)


def test_a_model_without_a_switch_refuses_off() -> None:
    """Before anything is loaded, naming what works."""
    with pytest.raises(UsageError, match="no switch") as refused:
        prepare(RunConfig(model=str(ENDLESS), ids=KNOWN, settings=Settings(think="off")))
    assert "--think N" in str(refused.value.remedy)
