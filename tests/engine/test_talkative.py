"""A real model that goes on writing when its answer is complete: the thinker without the mark that its end token ends anything.

GGUF files with that fault exist (an end-of-turn token missing from the header). Its bytes are those of tests/data/thinker.gguf, but
for the token's text, kind and number in the header, so the answers are the thinker's, and then text without end.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from cpu_codegen.columns.generate import request_for
from cpu_codegen.config import RunConfig, Settings, Think
from cpu_codegen.engine import completeness
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.extraction.answer import extract
from cpu_codegen.inputs import Sample, prepare
from cpu_codegen.schema import FinishReason, Generation
from tests.conftest import REPO

from .test_early_stop import parse

pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.model

THINKER = REPO / "tests" / "data" / "thinker.gguf"
KNOWN = ("ferry_peak", "sign_painter", "locker_twins", "wait_savings")
END, TALK = b"<|im_end|>", b"\n<|ende|>\n"
USER_DEFINED, STRING_BYTES = 4, 8
MAX_TOKENS = 240


def talkative(path: Path) -> Path:
    """The thinker's file with an end token that is plain text of the same length, in vocabulary and template alike."""
    data = bytearray(THINKER.read_bytes().replace(END, TALK))
    ids = _value(data, b"tokenizer.ggml.eos_token_id")
    (end,) = struct.unpack_from("<I", data, ids)
    struct.pack_into("<I", data, ids, 0)
    kinds = _value(data, b"tokenizer.ggml.token_type") + 4 + STRING_BYTES  # behind the items' type and count
    struct.pack_into("<i", data, kinds + 4 * end, USER_DEFINED)
    path.write_bytes(data)
    return path


def _value(data: bytearray, key: bytes) -> int:
    """Where the value of a key of the header begins, behind its type."""
    return data.index(struct.pack("<Q", len(key)) + key) + STRING_BYTES + len(key) + 4


def answers(engine: LlamaEngine, path: Path, think: Think, *, early_stop: bool) -> dict[str, tuple[Sample, Generation]]:
    """The four known problems as a run asks them, by problem."""
    settings = Settings(think=think, max_tokens=MAX_TOKENS, early_stop=early_stop)
    config = RunConfig(model=str(path), ids=KNOWN, settings=settings)
    samples = {sample.key: sample for sample in prepare(config).samples}
    found = engine.run([request_for(sample, config) for sample in samples.values()])
    return {samples[g.key].problem.id: (samples[g.key], g) for g in found}


def program(sample: Sample, generation: Generation) -> str:
    """What would be executed."""
    problem = sample.problem
    return extract(generation.text, entry_point=problem.entry_point, statement=problem.statement, parse=parse).code


@pytest.mark.parametrize(("width", "think"), [(1, "off"), (4, "on")])
def test_generation_stops_at_the_fence_and_changes_no_program(
    width: int, think: Think, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped, the text ends at the fence, within fewer tokens; unstopped it goes on to its length. The program is the same.

    With reasoning before the answer as well.
    """
    monkeypatch.setattr(completeness, "TIMEOUT_S", 20.0)  # busy cores are not what this is about
    path = talkative(tmp_path / "talkative.gguf")
    with LlamaEngine(EngineSettings(str(path), "", ctx_tokens=4096, threads=1, parallel=width)) as engine:
        engine._completeness.decide(
            "", ""
        )  # the parser runs: however slow this machine is, it answers within one sample
        stopped = answers(engine, path, think, early_stop=True)
        written = engine.totals["answer_tokens"]
        whole = answers(engine, path, think, early_stop=False)
    assert len(stopped) == len(whole) == len(KNOWN)
    assert {g.finish_reason for _, g in stopped.values()} == {FinishReason.ANSWER_COMPLETE}
    assert {g.finish_reason for _, g in whole.values()} == {FinishReason.LENGTH}
    for name, (sample, kept) in stopped.items():
        long = whole[name][1]
        assert long.text.startswith(kept.text)
        assert kept.text.endswith("\n```\n")
        assert (kept.reasoning_tokens > 0) == (think == "on")
        assert kept.completion_tokens - kept.reasoning_tokens < 100
        assert long.completion_tokens - long.reasoning_tokens == MAX_TOKENS
        assert program(sample, kept) == program(*whole[name])
        assert f"def {sample.problem.entry_point}(" in program(sample, kept)
    if width == 1:  # four at once may all be done before the first answer comes
        assert written < len(KNOWN) * MAX_TOKENS, "the engine itself stopped, not only the text"
