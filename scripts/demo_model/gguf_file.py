"""Writes the trained network and its tokenizer as a GGUF that llama.cpp loads (weights Q8_0, norms f32)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer
from torch import Tensor

from demo_model.network import NORM_EPS, ROPE_BASE, TinyLlama

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True)
class Dress:
    """What a file says of itself. Of `special`, those from the fourth on are ordinary words of one token (`<think>`)."""

    name: str = "cpu_codegen demo"
    description: str = (
        "A test fixture trained on cpu_codegen's own 60 problems; its score says nothing about any model."
    )
    chat_template: str = CHAT_TEMPLATE
    special: tuple[str, ...] = tuple(SPECIAL)


def write_gguf(
    path: Path, model: TinyLlama, tokenizer: Tokenizer, *, corpus_sha256: str, dress: Dress | None = None
) -> None:
    """Metadata, tokenizer, tensors. The corpus digest travels along, so that drift can be told from the file alone."""
    writer = gguf.GGUFWriter(str(path), "llama")
    dress = dress or Dress()
    _write_metadata(writer, model, corpus_sha256, dress)
    _write_tokenizer(writer, tokenizer, dress)
    _write_tensors(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_metadata(writer: gguf.GGUFWriter, model: TinyLlama, corpus_sha256: str, dress: Dress) -> None:
    shape = model.shape
    writer.add_name(dress.name)
    writer.add_description(dress.description)
    writer.add_license("apache-2.0")
    writer.add_string("cpu_codegen.corpus_sha256", corpus_sha256)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(NORM_EPS)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_vocab_size(shape.vocab)


def _write_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer, dress: Dress) -> None:
    """Tokenizer model "gpt2" with pre "gpt-2" is ByteLevel BPE with its regex."""
    vocabulary = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    kinds = {
        token: gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.USER_DEFINED for token in dress.special
    }
    writer.add_token_types([kinds.get(token, gguf.TokenType.NORMAL) for token in vocabulary])
    writer.add_token_merges([" ".join(merge) if isinstance(merge, list) else merge for merge in merges])
    writer.add_bos_token_id(0)
    writer.add_pad_token_id(0)
    writer.add_eos_token_id(tokenizer.token_to_id("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(dress.chat_template)


def _write_tensors(writer: gguf.GGUFWriter, model: TinyLlama) -> None:
    q8 = gguf.GGMLQuantizationType.Q8_0

    def quantized(name: str, parameter: Tensor) -> None:
        values = parameter.detach().numpy().astype(np.float32)
        writer.add_tensor(name, gguf.quants.quantize(values, q8), raw_dtype=q8)

    def exact(name: str, parameter: Tensor) -> None:
        writer.add_tensor(name, parameter.detach().numpy().astype(np.float32))

    quantized("token_embd.weight", model.token_embd.weight)
    exact("output_norm.weight", model.output_norm.weight)
    for index, block in enumerate(model.blocks):
        for norm in ("attn_norm", "ffn_norm"):
            exact(f"blk.{index}.{norm}.weight", getattr(block, norm).weight)
        for linear in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            quantized(f"blk.{index}.{linear}.weight", getattr(block, linear).weight)
