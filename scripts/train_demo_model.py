"""Trains the packaged demo model on our own 60 problems and writes cpu_codegen/data/demo.gguf and its card's facts.

Usage: python scripts/train_demo_model.py [--minutes 40] [--target-loss 0.02] [--checkpoint FILE] [--out FILE]
Needs the extra `[train]` (torch CPU, tokenizers, gguf). Seeded; a checkpoint every minute, resumed from when it is there.
The loss is taken on the answers' tokens only. Training ends at the target loss: higher leaves more natural mistakes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from demo_model.corpus import Pair, build_pairs, corpus_sha256  # noqa: E402 - the scripts are no package on the path
from demo_model.gguf_file import SPECIAL, write_gguf  # noqa: E402
from demo_model.network import Shape, TinyLlama  # noqa: E402

BATCH_TOKENS = 4096
REWORDED_SHARE = 0.1
WARMUP_STEPS = 50
CHECKPOINT_EVERY_S = 60.0

Encoded = tuple[list[int], list[int]]


def train_tokenizer(texts: list[str], vocab: int, special: list[str] = SPECIAL) -> Tokenizer:
    """Byte-level BPE with GPT-2's regex, from the corpus alone."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=vocab, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    return tokenizer


def encode(tokenizer: Tokenizer, pair: Pair) -> Encoded:
    """(prompt tokens, answer tokens), as the chat template writes them."""
    prompt = f"<|im_start|>user\n{pair.prompt}<|im_end|>\n<|im_start|>assistant\n"
    return tokenizer.encode(prompt).ids, tokenizer.encode(pair.answer + "<|im_end|>").ids


def batches(encoded: list[Encoded], rng: random.Random) -> Iterator[list[Encoded]]:
    """Similar lengths together, at most BATCH_TOKENS with padding, in random order."""
    ordered = sorted(encoded, key=lambda e: (len(e[0]) + len(e[1])) // 64 + rng.random())
    found: list[list[Encoded]] = [[]]
    for item in ordered:
        longest = max(len(a) + len(b) for a, b in [*found[-1], item])
        if found[-1] and longest * (len(found[-1]) + 1) > BATCH_TOKENS:
            found.append([])
        found[-1].append(item)
    rng.shuffle(found)
    yield from found


def answer_loss(model: TinyLlama, batch: list[Encoded]) -> Tensor:
    """Mean cross entropy over the answers' tokens."""
    longest = max(len(a) + len(b) for a, b in batch)
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    counts = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, (prompt, answer) in enumerate(batch):
        tokens[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        counts[row, len(prompt) : len(prompt) + len(answer)] = True
    hidden = model(tokens)[:, :-1]
    chosen = counts[:, 1:]
    return F.cross_entropy(model.logits(hidden[chosen]), tokens[:, 1:][chosen])


class Trainer:
    """The state of training: everything that a checkpoint keeps."""

    def __init__(self, args: argparse.Namespace, shape: Shape) -> None:
        self.args = args
        self.model = TinyLlama(shape)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=args.lr, betas=(0.9, 0.95), weight_decay=0.0)
        self.step, self.seconds, self.tokens, self.loss = 0, 0.0, 0, float("nan")

    def save(self, path: Path) -> None:
        """Atomically, so that a killed training resumes."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "facts": (self.step, self.seconds, self.tokens, self.loss),
            "torch_rng": torch.get_rng_state(),
        }
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    def resume(self, path: Path) -> None:
        """Goes on from a checkpoint of the same corpus."""
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.tokens, self.loss = state["facts"]
        torch.set_rng_state(state["torch_rng"])

    def train_batch(self, batch: list[Encoded]) -> None:
        """One optimizer step; the rate warms up, then falls as a cosine over the time that was given."""
        began = time.monotonic()
        progress = min(1.0, self.seconds / (self.args.minutes * 60))
        rate = (
            self.args.lr * min(1.0, (self.step + 1) / WARMUP_STEPS) * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = answer_loss(self.model, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.tokens += sum(len(a) + len(b) for a, b in batch)
        value = loss.item()
        self.loss = value if math.isnan(self.loss) else 0.95 * self.loss + 0.05 * value
        self.seconds += time.monotonic() - began

    @property
    def finished(self) -> bool:
        """At the target loss, or out of time."""
        return self.loss < self.args.target_loss or self.seconds >= self.args.minutes * 60


def train(trainer: Trainer, exact: list[Encoded], reworded: list[Encoded], checkpoint: Path) -> None:
    """Epochs over the product's wording and a random part of the reworded prompts."""
    saved = shown = time.monotonic()
    epoch = trainer.step
    while not trainer.finished:
        rng = random.Random(f"{trainer.args.seed}/{epoch}")
        epoch += 1
        extra = rng.sample(reworded, round(REWORDED_SHARE * len(exact)))
        for batch in batches(exact + extra, rng):
            trainer.train_batch(batch)
            now = time.monotonic()
            if now - shown > 20:
                rate = trainer.tokens / trainer.seconds
                print(
                    f"{trainer.seconds:6.0f} s  step {trainer.step}  loss {trainer.loss:.4f}  {rate:.0f} tokens/s",
                    flush=True,
                )
                shown = now
            if now - saved > CHECKPOINT_EVERY_S:
                trainer.save(checkpoint)
                saved = now
            if trainer.finished:
                break


def main() -> None:
    """Corpus → tokenizer → training → GGUF → facts for the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--target-loss", type=float, default=0.02)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "build" / "demo-model.pt")
    parser.add_argument("--out", type=Path, default=ROOT / "cpu_codegen" / "data" / "demo.gguf")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    args.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)

    pairs = build_pairs()
    tokenizer = train_tokenizer([p.prompt + "\n" + p.answer for p in pairs if p.exact], Shape.vocab)
    shape = Shape(vocab=tokenizer.get_vocab_size())
    exact = [encode(tokenizer, p) for p in pairs if p.exact]
    reworded = [encode(tokenizer, p) for p in pairs if not p.exact]
    longest = max(len(a) + len(b) for a, b in exact + reworded)
    answers = sum(len(b) for _, b in exact)
    print(
        f"{len(exact)} + {len(reworded)} reworded pairs, {answers} answer tokens, longest {longest}, vocab {shape.vocab}"
    )
    if longest > shape.context:
        raise SystemExit(f"a pair of {longest} tokens does not fit the context of {shape.context}")

    trainer = Trainer(args, shape)
    print(f"{sum(p.numel() for p in trainer.model.parameters()) / 1e6:.2f} M parameters")
    if args.checkpoint.is_file():
        trainer.resume(args.checkpoint)
        print(f"going on from step {trainer.step}, loss {trainer.loss:.4f}")
    train(trainer, exact, reworded, args.checkpoint)
    trainer.save(args.checkpoint)

    digest = corpus_sha256(pairs)
    write_gguf(args.out, trainer.model, tokenizer, corpus_sha256=digest)
    facts = {
        "corpus_sha256": digest,
        "gguf_sha256": hashlib.sha256(args.out.read_bytes()).hexdigest(),
        "gguf_bytes": args.out.stat().st_size,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "shape": shape.as_dict(),
        "seed": args.seed,
        "steps": trainer.step,
        "tokens": trainer.tokens,
        "minutes": round(trainer.seconds / 60, 1),
        "loss": round(trainer.loss, 4),
    }
    args.out.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()
