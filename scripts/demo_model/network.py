"""A small llama in PyTorch, shaped as llama.cpp's "llama" architecture reads it.

RoPE rotates neighbouring pairs (0,1), (2,3) …; RMS norm before attention and before the gated feed-forward; the output
matrix is the embedding's own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROPE_BASE = 10_000.0
NORM_EPS = 1e-5


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; `context` is the longest sequence in tokens."""

    vocab: int = 3072
    width: int = 256
    layers: int = 4
    heads: int = 4
    feed_forward: int = 704
    context: int = 2048

    def as_dict(self) -> dict[str, int]:
        """For the checkpoint and the card."""
        return asdict(self)


class RmsNorm(nn.Module):
    """x / rms(x) · weight."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) → (…, width)."""
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPS) * self.weight


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE over neighbouring pairs; x is (batch, heads, time, head width)."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Block(nn.Module):
    """Attention, then the gated feed-forward, each on a normed copy and added."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, inner = shape.width, shape.feed_forward
        self.heads = shape.heads
        self.attn_norm, self.ffn_norm = RmsNorm(width), RmsNorm(width)
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )
        self.ffn_gate, self.ffn_up = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.ffn_down = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(batch, time, width) → the same."""
        batch, time, width = x.shape

        def split(z: Tensor) -> Tensor:
            return z.view(batch, time, self.heads, width // self.heads).transpose(1, 2)

        y = self.attn_norm(x)
        q, k = rotate(split(self.attn_q(y)), cos, sin), rotate(split(self.attn_k(y)), cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, split(self.attn_v(y)), is_causal=True)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, time, width))
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


class TinyLlama(nn.Module):
    """The whole network; `forward` gives hidden states, `logits` the scores of chosen ones."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocab, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RmsNorm(shape.width)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        head_width = shape.width // shape.heads
        frequency = ROPE_BASE ** (-torch.arange(0, head_width, 2).float() / head_width)
        angle = torch.outer(torch.arange(shape.context).float(), frequency)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, time) token ids → (batch, time, width)."""
        hidden = self.token_embd(tokens)
        time = tokens.shape[1]
        for block in self.blocks:
            hidden = block(hidden, self.cos[:time], self.sin[:time])
        return self.output_norm(hidden)

    def logits(self, hidden: Tensor) -> Tensor:
        """(n, width) → (n, vocab)."""
        return hidden @ self.token_embd.weight.T
