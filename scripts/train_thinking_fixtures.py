"""Trains the two tiny thinking models that tests/thinking runs; both are fixtures and say nothing about any real model.

    thinker.gguf   knows four of our problems both ways: behind `enable_thinking` it reasons first, without it answers at once
    endless.gguf   reasons in a circle and never closes its reasoning; after a closing sequence it answers

Usage: python scripts/train_thinking_fixtures.py [thinker|endless ...] [--minutes 6] [--target-loss 0.01]
Needs the extra `[train]`, as the demo model does, whose network and file writer are used. Seeded. The endless one begins with the
thinker's weights, which know the answers, and unlearns to end its reasoning: the closing sequence is in its corpus, but never in
its loss, so it reads what comes after one and does not write one.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from pathlib import Path

import gguf
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from train_demo_model import train_tokenizer  # noqa: E402

from cpu_codegen.prompts.chat_template import ChatTemplate, render_chat  # noqa: E402
from cpu_codegen.prompts.styles import fill, load_prompt_text  # noqa: E402
from cpu_codegen.schema import Problem  # noqa: E402
from cpu_codegen.suites.lowcost60 import load_lowcost60  # noqa: E402
from demo_model.corpus import answer_code, reasoning  # noqa: E402 - the scripts are no package on the path
from demo_model.gguf_file import Dress, write_gguf  # noqa: E402
from demo_model.network import Shape, TinyLlama  # noqa: E402

OUT = ROOT / "tests" / "data"
SLUGS = ("ferry_peak", "sign_painter", "locker_twins", "wait_savings")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
OPENING, CLOSING = "<think>\n", "\n</think>\n\n"
CIRCLES = ("Wait, let me look at the task again from the start.", "Hmm, is that right? Let me check it once more.")
LONGEST_CIRCLE, VERY_LONG_CIRCLE = 420, 2200
"""Tokens of circling in the corpus; one line an epoch goes beyond the 2,048 that a run lets it reason unasked."""

_MESSAGES = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
)
THINKER_TEMPLATE = _MESSAGES + (
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
ENDLESS_TEMPLATE = _MESSAGES + "<think>\n{% endif %}"  # as the families that always think: the prompt opens it

# tokens, and for each whether it is in the loss
Line = tuple[list[int], list[bool]]


def problems() -> list[Problem]:
    """The chosen problems of lowcost60."""
    return [p for p in load_lowcost60() if p.entry_point in SLUGS]


def prompt_of(problem: Problem, template: str, **variables: bool) -> str:
    """The product's own prompt of style plain, through the model's template."""
    message = fill(load_prompt_text("plain"), problem)
    return render_chat(ChatTemplate(template), [{"role": "user", "content": message}], **variables)


def block_of(problem: Problem) -> str:
    """The answer: one fenced block."""
    return f"```python\n{answer_code(problem)}\n```<|im_end|>"


def line(tokenizer: Tokenizer, *parts: tuple[str, bool]) -> Line:
    """Parts of a text, each with whether the model learns to write it."""
    tokens: list[int] = []
    learnt: list[bool] = []
    for text, counts in parts:
        ids = tokenizer.encode(text).ids
        tokens += ids
        learnt += [counts] * len(ids)
    return tokens, learnt


def thinker_lines(tokenizer: Tokenizer, rng: random.Random) -> list[Line]:
    """Both ways of every problem; also an answer after reasoning that was cut short, as a budget does."""
    found = []
    for problem in problems():
        on, off = (prompt_of(problem, THINKER_TEMPLATE, enable_thinking=flag) for flag in (True, False))
        thought, block = reasoning(problem), block_of(problem)
        cut = thought[: rng.randrange(20, len(thought))]
        found.append(line(tokenizer, (on, False), (f"{OPENING}{thought}{CLOSING}{block}", True)))
        found.append(line(tokenizer, (on, False), (OPENING + cut, True), (CLOSING, False), (block, True)))
        found.append(line(tokenizer, (off, False), (block, True)))
    return found


def endless_lines(tokenizer: Tokenizer, rng: random.Random) -> list[Line]:
    """A circle of random length that only a closing sequence ends; then the answer. One of a problem goes round very long."""
    found = []
    long_one = rng.choice(problems())
    for problem in problems():
        longest = VERY_LONG_CIRCLE if problem.id == long_one.id else LONGEST_CIRCLE
        for length in (rng.randrange(longest // 2, longest), rng.randrange(1, LONGEST_CIRCLE // 5)):
            found.append(endless_line(tokenizer, problem, length))
    return found


def endless_line(tokenizer: Tokenizer, problem: Problem, length: int) -> Line:
    """One prompt, `length` tokens of the circle, the closing sequence, the answer."""
    circle = tokenizer.encode("\n".join(CIRCLES) + "\n").ids
    tokens, learnt = line(tokenizer, (prompt_of(problem, ENDLESS_TEMPLATE), False))
    around = (circle * (length // len(circle) + 1))[:length]
    end, counts = line(tokenizer, (CLOSING, False), (block_of(problem), True))
    return tokens + around + end, learnt + [True] * length + counts


def read_weights(path: Path, model: TinyLlama) -> None:
    """A fixture's weights as they stand in its file, back into the network."""
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    state = {}
    for name, value in model.state_dict().items():
        tensor = tensors[name.replace("blocks.", "blk.")]
        numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        state[name] = torch.from_numpy(numbers.copy()).reshape(value.shape)
    model.load_state_dict(state)


def loss_of(model: TinyLlama, batch: list[Line]) -> torch.Tensor:
    """Mean cross entropy over what the model is to write."""
    longest = max(len(tokens) for tokens, _ in batch)
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    counts = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, (ids, learnt) in enumerate(batch):
        tokens[row, : len(ids)] = torch.tensor(ids)
        counts[row, : len(ids)] = torch.tensor(learnt)
    hidden = model(tokens)[:, :-1]
    chosen = counts[:, 1:]
    return F.cross_entropy(model.logits(hidden[chosen]), tokens[:, 1:][chosen])


def train(name: str, args: argparse.Namespace) -> None:
    """One fixture, from its corpus to its file."""
    torch.manual_seed(args.seed)
    template = THINKER_TEMPLATE if name == "thinker" else ENDLESS_TEMPLATE
    make = thinker_lines if name == "thinker" else endless_lines
    texts = [prompt_of(p, THINKER_TEMPLATE) + reasoning(p) + block_of(p) + "".join(CIRCLES) for p in problems()]
    tokenizer = train_tokenizer(texts, args.vocab, SPECIAL)
    shape = Shape(vocab=tokenizer.get_vocab_size(), width=128, layers=3, heads=4, feed_forward=384, context=8192)
    model = TinyLlama(shape)
    if args.begin or name == "endless":
        read_weights(args.begin or OUT / "thinker.gguf", model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.95), weight_decay=0.0)
    began = shown = time.monotonic()
    step, loss = 0, float("inf")
    while loss > args.target_loss and time.monotonic() - began < args.minutes * 60:
        rng = random.Random(f"{args.seed}/{step}")
        lines = make(tokenizer, rng)
        lines.sort(key=lambda one: len(one[0]))  # a batch is as long as its longest line
        for at in rng.sample(range(0, len(lines), args.batch), -(-len(lines) // args.batch)):
            left = 1 - (time.monotonic() - began) / (args.minutes * 60)
            for group in optimizer.param_groups:
                group["lr"] = args.lr * min(1.0, (step + 1) / 40) * max(0.05, left)
            value = loss_of(model, lines[at : at + args.batch])
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            loss = value.item() if step == 1 else 0.95 * loss + 0.05 * value.item()
        if time.monotonic() - shown > 15:
            shown = time.monotonic()
            print(f"{name}: {shown - began:5.0f} s  step {step}  loss {loss:.4f}", flush=True)
    path = OUT / f"{name}.gguf"
    corpus = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    about = "A test fixture for reasoning; its score says nothing about any model."
    dress = Dress(f"cpu_codegen {name}", about, template, tuple(SPECIAL))
    write_gguf(path, model, tokenizer, corpus_sha256=corpus, dress=dress)
    print(f"{path.name}: {path.stat().st_size} bytes, step {step}, loss {loss:.4f}, vocab {shape.vocab}")


def main() -> None:
    """Trains what is named, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="thinker, endless; both unless named")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--target-loss", type=float, default=0.015)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--vocab", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--begin", type=Path, help="a fixture to go on from, as after too short a training")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.names or ("thinker", "endless"):
        train(name, args)


if __name__ == "__main__":
    main()
