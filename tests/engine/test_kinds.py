"""Every kind of state that a model may keep: full attention, sliding window, recurrent, hybrid, experts.

The models are synthetic (scripts/make_synthetic_gguf.py, random weights): what counts is that sharing, batching and re-using
sequences give the text that a serial loop gives.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.gguf_header import read_header
from cpu_codegen.schema import FinishReason, Request, Sampling
from scripts import make_synthetic_gguf as synthetic

pytest.importorskip("llama_cpp")

TOKENS = 8
KINDS = {
    "tiny-llama": "attention",
    "tiny-moe": "attention",
    "tiny-swa": "swa",
    "tiny-hybrid": "hybrid",
    "tiny-recurrent": "recurrent",
}
SHARED = "def shared_beginning(of, all, prompts):\n    # longer than the window of the sliding model\n"


def serial(path: Path, prompts: list[str]) -> list[bytes]:
    """One prompt at a time in a fresh context: no state can be left over."""
    from cpu_codegen.engine import binding
    from cpu_codegen.engine.context import Context

    binding.start_backend()
    model = binding.Model(str(path))
    found = []
    for prompt in prompts:
        context = Context(model, cells=512, sequences=1, outputs=1, threads=1)
        sampler = context.new_sampler(Sampling(), 0)
        tokens = model.tokenize(prompt, add_special=True)
        count = len(tokens)
        context.decode(tokens, range(count), [0] * count, [0] * (count - 1) + [1])
        written = [context.sample(sampler, count - 1)]
        while len(written) < TOKENS and written[-1] not in model.ends:
            context.decode(written[-1:], [count + len(written) - 1], [0], [1])
            written.append(context.sample(sampler, 0))
        found.append(b"".join(model.piece(token) for token in written if token not in model.ends))
        context.free_sampler(sampler)
        context.close()
    model.close()
    return found


@pytest.mark.model
@pytest.mark.parametrize("name", KINDS)
def test_sharing_and_batching_are_right_for_every_kind(name: str, tmp_path: Path) -> None:
    """Twelve prompts through three sequences, the beginning decoded once; nearly all texts are the serial ones."""
    path = tmp_path / f"{name}.gguf"
    synthetic.write(path, synthetic.TINY[name], name, "Q8_0")
    prompts = [SHARED + f"{word} = {i}\n" for i, word in enumerate("one two three four five six".split() * 2)]
    wanted = [Request(str(i), prompt, True, 0, TOKENS, early_stop=False) for i, prompt in enumerate(prompts)]
    with LlamaEngine(EngineSettings(str(path), "", ctx_tokens=512, threads=1, parallel=3)) as engine:
        found = {g.key: g for g in engine.run(wanted)}
        assert engine.info.memory_kind == KINDS[name]
        assert engine.totals["prefix_tokens"] < 1.5 * min(g.prompt_tokens for g in found.values())
    expected = serial(path, prompts)
    same = [found[str(i)].text == text.decode(errors="replace") for i, text in enumerate(expected)]
    assert sum(same) >= 9, f"only {sum(same)} of {len(same)} texts are the serial ones"
    assert all(g.shared_prefix_tokens >= 40 for g in found.values())
    assert {g.finish_reason for g in found.values()} <= {FinishReason.LENGTH, FinishReason.EOS}


@pytest.mark.model
@pytest.mark.parametrize(("original", "many"), [(512, True), (256, False)])
def test_rope_factors_follow_the_context_of_one_sequence(original: int, many: bool, tmp_path: Path) -> None:
    """Whether LongRoPE's short or long ones count is decided by --ctx (512), not by how much of the cache a run needs.

    Eight prompts twice take more places than one context has, one prompt fewer: both write what a serial loop of that context does.
    """
    path = tmp_path / "longrope.gguf"
    synthetic.write(path, replace(synthetic.TINY["tiny-longrope"], original_context=original), "longrope", "Q8_0")
    prompts = [f"{word} is the first word of prompt {i}, and not the last\n" * 2 for i, word in enumerate("abcdefgh")]
    prompts = prompts if many else prompts[:1]
    wanted = [
        Request(f"{i}.{n}", text, True, 0, TOKENS, early_stop=False) for i, text in enumerate(prompts) for n in (0, 1)
    ]
    with LlamaEngine(EngineSettings(str(path), "", ctx_tokens=512, threads=1, parallel=1)) as engine:
        found = {g.key: g for g in engine.run(wanted)}
        fed = engine.totals["prefix_tokens"]
    assert fed > 512 if many else fed < 128
    expected = [text.decode(errors="replace") for text in serial(path, prompts)]
    same = [found[f"{i}.{n}"].text == text for i, text in enumerate(expected) for n in (0, 1)]
    assert sum(same) >= 0.7 * len(same), "more than rounding: by the other factors hardly any text is the same"


@pytest.mark.model
def test_a_context_frees_the_chains_of_a_run_that_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds a table of the whole vocabulary: those given back are freed at once, all others with the context, none twice."""
    import llama_cpp

    from cpu_codegen.engine import binding
    from cpu_codegen.engine.context import Context

    path, freed = tmp_path / "model.gguf", list[int]()
    synthetic.write(path, synthetic.TINY["tiny-llama"], "tiny-llama", "Q8_0")
    binding.start_backend()
    free, model = llama_cpp.llama_sampler_free, binding.Model(str(path))
    monkeypatch.setattr(llama_cpp, "llama_sampler_free", lambda chain: (freed.append(id(chain)), free(chain)))
    context = Context(model, cells=256, sequences=1, outputs=1, threads=1)
    chains = [context.new_sampler(sampling, 1) for sampling in (Sampling(), Sampling(0.8), Sampling(0.8), Sampling())]
    assert chains[0] is chains[3]
    for chain in chains[:2]:
        context.free_sampler(chain)
    assert freed == [id(chains[1])]
    context.close()
    context.close()
    model.close()
    assert sorted(freed) == sorted({id(chain) for chain in chains})


@pytest.mark.parametrize("name", [*synthetic.TINY, "smollm2-135m"])
def test_synthetic_models_have_the_asked_geometry(name: str, tmp_path: Path) -> None:
    """The header reads back as it was meant, the file is as long as its tensors, and text in its vocabulary is whole."""
    path = tmp_path / "model.gguf"
    shape = {**synthetic.TINY, **synthetic.PRESETS}[name]
    written = synthetic.write(path, shape, name, "Q4_K_M")
    header = read_header(path)
    assert (header.architecture, header.layers, header.vocabulary) == (shape.arch, shape.layers, shape.vocabulary)
    assert (header.file_bytes, header.file_type) == (written, "Q4_K_M")
    assert header.eos_token == "<|im_end|>"
    tokens = header.metadata["tokenizer.ggml.tokens"]
    assert len(set(tokens)) == len(tokens)


def test_preset_sizes_are_those_of_the_real_files() -> None:
    """Within 1 % of published Q4_K_M files, whose tensor types therefore are nearly the same."""
    real = {"codellama-7b": 4_081_634_432, "mistral-7b": 4_368_984_064, "qwen2.5-coder-7b": 4_683_202_560}
    real |= {"qwen3-coder-30b-a3b": 18_556_793_856, "deepseek-coder-1.3b": 873_574_400, "qwen3-4b": 2_497_401_344}
    for name, size in real.items():
        ours = sum(tensor.bytes for tensor in synthetic.tensors(synthetic.PRESETS[name], "Q4_K_M"))
        assert ours == pytest.approx(size, rel=0.01), name
    assert len(synthetic.PRESETS) >= 8
