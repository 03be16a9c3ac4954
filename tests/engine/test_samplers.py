"""What an answer's tokens are drawn with: llama.cpp's own samplers, in its own order, and never a token that the file forbids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.schema import Sampling
from scripts import make_synthetic_gguf as synthetic

pytest.importorskip("llama_cpp")
pytestmark = pytest.mark.model

ALL = Sampling(temperature=0.8, top_p=0.9, top_k=40, min_p=0.05)
PROMPT = list(range(10, 30))


@contextmanager
def context(path: Path) -> Iterator[Any]:
    """A context with the prompt in it, behind which tokens may be drawn."""
    from cpu_codegen.engine import binding
    from cpu_codegen.engine.context import Context

    binding.start_backend()
    model = binding.Model(str(path))
    opened = Context(model, cells=256, sequences=1, outputs=1, threads=1)
    count = len(PROMPT)
    opened.decode(PROMPT, range(count), [0] * count, [0] * (count - 1) + [1])
    yield opened
    opened.close()
    model.close()


def write(path: Path, monkeypatch: pytest.MonkeyPatch, **keys: Any) -> Path:
    """The smallest model, with further keys of its tokenizer."""
    with monkeypatch.context() as patch:
        plain = synthetic.tokenizer
        patch.setattr(
            synthetic, "tokenizer", lambda size: plain(size) | {f"tokenizer.ggml.{k}": v for k, v in keys.items()}
        )
        synthetic.write(path, synthetic.TINY["tiny-llama"], "tiny", "Q8_0")
    return path


def drawn(opened: Any, sampling: Sampling, seed: int) -> int:
    """The token behind the prompt."""
    sampler = opened.new_sampler(sampling, seed)
    token = int(opened.sample(sampler, len(PROMPT) - 1))
    opened.free_sampler(sampler)
    return token


def names(chain: Any) -> list[str]:
    """What llama.cpp calls the samplers of a chain, without a sign of its own."""
    import llama_cpp as L

    found = [L.llama_sampler_name(L.llama_sampler_chain_get(chain, i)) for i in range(L.llama_sampler_chain_n(chain))]
    return [name.decode().lstrip("+?") for name in found]


def test_samplers_stand_in_llama_cpps_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbidden tokens first, then top-k, top-p, min-p, temperature and the draw; what is off is not in the chain."""
    forbidding = write(tmp_path / "a.gguf", monkeypatch, suppress_tokens=[5, 6])
    with context(forbidding) as opened:
        assert names(opened.new_sampler(ALL, 1)) == ["logit-bias", "top-k", "top-p", "min-p", "temp", "dist"]
        assert names(opened.new_sampler(Sampling(), 1)) == ["logit-bias", "greedy"]
    with context(write(tmp_path / "b.gguf", monkeypatch)) as opened:
        assert names(opened.new_sampler(Sampling(temperature=0.8), 1)) == ["temp", "dist"]


def test_a_token_that_the_file_forbids_is_never_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in llama.cpp's own tools (tokenizer.ggml.suppress_tokens): not by the greedy choice, not at any temperature."""
    with context(write(tmp_path / "plain.gguf", monkeypatch)) as opened:
        best = drawn(opened, Sampling(), 0)
        second = drawn_without(opened, best)
        often = [drawn(opened, Sampling(temperature=0.3), seed) for seed in range(40)]
    assert best in often
    with context(write(tmp_path / "forbidding.gguf", monkeypatch, suppress_tokens=[best])) as opened:
        assert opened.model.suppressed == (best,)
        assert drawn(opened, Sampling(), 0) == second
        assert best not in [drawn(opened, Sampling(temperature=0.3), seed) for seed in range(40)]


def drawn_without(opened: Any, token: int) -> int:
    """The best token beside this one, by the logits themselves."""
    from cpu_codegen.engine.likelihood import logits_of

    logits = logits_of(opened, 1)[0].copy()
    logits[token] = -1e9
    return int(logits.argmax())


def test_every_seed_is_one_that_repeats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp takes 0xFFFFFFFF for "any seed"; a sample whose hash is just that repeats all the same."""
    with context(write(tmp_path / "a.gguf", monkeypatch)) as opened:
        wild = Sampling(temperature=5.0)
        assert len({drawn(opened, wild, 0xFFFFFFFF) for _ in range(12)}) == 1
        assert len({drawn(opened, wild, seed) for seed in range(12)}) > 1
