"""Shapes: from a header every tensor, from the registry llama.cpp's own rules, and both agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.gguf_tensors import TensorInfo
from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.models.spec import Geometry, ModelSpec
from cpu_codegen.plan.shape import USUAL_VOCABULARY, Shape, shape_of_header, shape_of_spec
from cpu_codegen.plan.synthetic import Dense, write_dense

SMALL = Dense(layers=8, width=256, feed_forward=768, heads=4, kv_heads=2, vocabulary=1024)


@pytest.fixture
def small(tmp_path: Path) -> Shape:
    """A synthetic file of a q4_k/q6_k mix, read back."""
    path = tmp_path / "small.gguf"
    size = write_dense(path, SMALL, lambda name, _: "q6_k" if "embd" in name or "down" in name else "q4_k")
    assert size == path.stat().st_size
    return shape_of_header(read_header(path))


def test_synthetic_file_is_a_gguf(small: Shape) -> None:
    """What the writer writes, the reader finds: widths, layers, types, and every weight once."""
    assert (small.layers, small.width, small.feed_forward, small.vocabulary) == (8, 256, 768, 1024)
    values = sum(part.values for part in small.weights)
    assert values == 256 * 1024 + 8 * (2 * 256 * 256 + 2 * 256 * 128 + 3 * 256 * 768)
    assert small.types == {"q4_k", "q6_k"}


def test_tied_head_is_read_for_every_token(small: Shape) -> None:
    """Without an output tensor the embedding is the head."""
    assert [part.values for part in small.weights if part.use == "head"] == [256 * 1024]
    assert not [part for part in small.weights if part.use == "embedding"]


def test_kv_bytes(small: Shape) -> None:
    """Layers × heads × head size × (key + value) × 2 bytes."""
    assert small.cell_bytes == 8 * 2 * 64 * 2 * 2


def spec(quant: str, *, size: int | None = None, **changes: object) -> ModelSpec:
    """A registry entry of the small shape."""
    facts: dict[str, object] = {
        "architecture": "qwen2", "layers": 8, "width": 256, "heads": 4, "kv_heads": 2, "head_size": 64,
        "vocabulary": 1024, "feed_forward": 768, "kv_layers": 8, "tied_head": True,
    }  # fmt: skip
    shape = Geometry(**{**facts, **changes})  # type: ignore[arg-type]
    return ModelSpec("x", quant=quant, geometry=shape, sizes=(size,) if size else ())


def test_k_m_mix() -> None:
    """q4_k_m holds q6_k where llama.cpp puts it: head, and half of attn_v and ffn_down."""
    shape = shape_of_spec(spec("q4_k_m"))
    assert shape is not None
    raised = sum(part.values for part in shape.weights if part.type == "q6_k" and part.use == "layer")
    # layers 0, 7 and those where (i − 1) % 3 == 2 of eight: 0, 3, 6, 7
    assert raised == 4 * (256 * 128 + 256 * 768)


def test_narrow_rows_fall_back() -> None:
    """Rows of 896 values cannot be q4_k: q5_0 and q8_0 take their place."""
    shape = shape_of_spec(spec("q4_k_m", width=896, feed_forward=4864))
    assert shape is not None
    assert "q5_0" in shape.types
    assert "q8_0" in shape.types


def test_known_length_is_kept() -> None:
    """What the rules miss is spread evenly, so that the bytes are those of the file."""
    shape = shape_of_spec(spec("q4_k_m", size=10_000_000))
    assert shape is not None
    assert shape.weight_bytes == 10_000_000
    assert sum(part.bytes for part in shape.weights) == pytest.approx(10_000_000, rel=1e-3)


def test_rules_match_known_files() -> None:
    """For dense models of the registry with a known length, the computed length is within 4 % in nine of ten cases."""
    from dataclasses import replace

    errors = []
    for entry in load_catalogue().specs():
        shape = entry.geometry
        if not entry.size_bytes or shape is None or shape.experts or shape.recurrent_layers or entry.quant != "q4_k_m":
            continue
        if shape.architecture in ("gemma3n", "gemma4"):
            continue  # embeddings per layer are no part of a geometry
        known = shape_of_spec(entry)
        computed = shape_of_spec(replace(entry, sizes=()))
        assert known is not None
        assert computed is not None
        twice = sum(part.bytes for part in known.weights if part.use == "embedding" and shape.tied_head)
        errors.append(abs((computed.weight_bytes + twice) / entry.size_bytes - 1))
    assert len(errors) >= 25
    assert sorted(errors)[len(errors) * 9 // 10] < 0.04


def test_head_stored_twice() -> None:
    """The official Qwen2.5-Coder 0.5B keeps its tied head a second time (geometries.csv says so): the length tells."""
    entry = load_catalogue().models["qwen2.5-coder-0.5b"]["q4_k_m"]
    shape = shape_of_spec(entry)
    assert shape is not None
    assert [part.use for part in shape.weights].count("embedding") == 1


def test_experts() -> None:
    """Of a mixture of experts a token uses a part."""
    shape = shape_of_spec(spec("q8_0", experts=8, experts_used=2, expert_feed_forward=512, feed_forward=0))
    assert shape is not None
    assert shape.experts_share == 0.25
    assert sum(part.values for part in shape.weights if part.use == "expert") == 8 * 8 * 3 * 256 * 512


def told(names: dict[str, int], **keys: int) -> Shape:
    """The shape of a header with these tensors (values of q8_0) and keys."""
    metadata: dict[str, Any] = {
        "general.architecture": "a",
        "a.block_count": 2,
        **{f"a.{k}": v for k, v in keys.items()},
    }
    tensors = tuple(TensorInfo(name, (32, count // 32), "q8_0", 0, count) for name, count in names.items())
    return shape_of_header(GgufHeader("x", 3, metadata, tensors, 0, 0, 0))


def values(shape: Shape) -> dict[str, int]:
    """Numbers by use."""
    return {part.use: part.values for part in shape.weights}


def test_tables_of_which_a_row_is_taken() -> None:
    """Gemma's embeddings per layer are as large as all else, and no token multiplies by them."""
    shape = told({"per_layer_token_embd.weight": 6400, "token_embd.weight": 640, "blk.0.attn_q.weight": 320})
    assert values(shape) == {"embedding": 6400, "head": 640, "layer": 320}


def test_layers_that_guess_ahead_are_not_computed() -> None:
    """The last block of a file with multi-token prediction is there and idle."""
    tensors = {"blk.0.ffn_up.weight": 320, "blk.1.ffn_up.weight": 320}
    assert values(told(tensors)) == {"layer": 640}
    idle = told(tensors, nextn_predict_layers=1)
    assert values(idle) == {"layer": 320, "embedding": 320}
    assert idle.layers == 1


def test_experts_that_always_work_are_layers() -> None:
    """A shared expert multiplies every token, the others those that the router sends."""
    names = {"blk.0.ffn_up_exps.weight": 640, "blk.0.ffn_up_shexp.weight": 320, "blk.0.ffn_gate_inp.weight": 32}
    shape = told(names, expert_count=8, expert_used_count=2)
    assert values(shape) == {"expert": 640, "layer": 352}
    assert (
        told(names, expert_used_count=4, expert_feed_forward_length=2880, feed_forward_length=2880).feed_forward
        == 4 * 2880
    )
    assert shape.experts_share == 0.25


def test_what_gemmas_geometry_leaves_out_is_looked_up() -> None:
    """The rest of the file's length is a table of embeddings per layer: it costs memory, no time."""
    entry = load_catalogue().models["gemma-4-e2b"]["q4_k_m"]
    shape = shape_of_spec(entry)
    assert shape is not None
    parts = values(shape)
    assert entry.size_bytes is not None
    assert sum(part.bytes for part in shape.weights) == pytest.approx(entry.size_bytes, rel=1e-3)
    table = next(part for part in shape.weights if part.use == "embedding")
    assert 0.3 < table.bytes / entry.size_bytes < 0.7
    assert parts["layer"] < 2.5e9


def test_short_convolutions_keep_little() -> None:
    """LFM2's ten recurrent layers keep two tokens each, not a Mamba state."""
    shape = shape_of_spec(load_catalogue().models["lfm2-1.2b"]["q4_k_m"])
    assert shape is not None
    assert shape.state_bytes == 10 * 2 * 2048 * 4


def test_size_alone_and_nothing() -> None:
    """A length alone makes a rough shape; nothing makes none."""
    rough = shape_of_spec(ModelSpec("x", quant="q8_0", sizes=(1_000_000,)))
    assert rough is not None
    assert rough.basis == "size"
    assert rough.weight_bytes == 1_000_000
    assert shape_of_spec(ModelSpec("x", quant="q8_0")) is None


def test_without_a_known_vocabulary() -> None:
    """The survey's dolphin has a shape whose vocabulary nobody saw: it is planned with a usual one, not left unknown."""
    spec = load_catalogue().models["dolphin-2.6-mistral-7b"]["q4_k_m"]
    shape = shape_of_spec(spec)
    assert shape is not None
    assert shape.vocabulary == USUAL_VOCABULARY
    assert 4.2e9 < shape.weight_bytes < 4.8e9
    assert all(shape_of_spec(one) for one in load_catalogue().specs() if one.family != "demo")
