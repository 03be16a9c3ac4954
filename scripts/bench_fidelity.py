#!/usr/bin/env python3
"""Our KL divergence beside llama-perplexity's, on that program's own base file: its tokens, chunks, second halves and BOS.

    scripts/bench_fidelity.py --perplexity PATH [--base GGUF --quant GGUF] [--chunk 256] [--chunks 16] [--threads 1]

Without GGUFs: quantized copies of the demo model, made in a temporary folder. llama-perplexity writes its base file
(`--kl-divergence-base`), measures the other model against it (`--kl-divergence`), and prints mean KL, same top token and PPL; the
same figures are then computed here from the same file. Fails when a mean KL is off by more than 1 % or 0.0005 nats, whichever
is larger. Printed beside them: the KL with the base's values packed as `ladder` keeps them (fidelity/divergence.py) instead of as
they stand in that file; and the KL by that program's own formula, which leaves out tokens that the base finds less likely than
e^-16 and does not normalize the rest. The program is in llama.cpp's sources (tools/perplexity); it must be of the same llama.cpp.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

import numpy as np  # noqa: E402

from cpu_codegen.packaged import demo_model, problems_dir  # noqa: E402

KINDS = {"f16": 1, "q8_0": 7, "q4_0": 2, "q2_k": 10}
RELATIVE, ABSOLUTE = 0.01, 0.0005
TRIES = 8
CUT_NATS = -16.0  # llama-perplexity leaves out tokens that the base finds less likely, and does not normalize
MAGIC = b"_logits_"


@dataclass(frozen=True)
class Figures:
    """Of one model against one base."""

    mean_kl: float
    same_top: float
    ln_ppl: float


@dataclass(frozen=True)
class Chunk:
    """One chunk of the base file: its tokens, and the base's log-probabilities behind each token of its second half."""

    tokens: list[int]
    base: Any


# ── the other program ────────────────────────────────────────────────────────────────────────────────────────────────


def theirs(args: argparse.Namespace, quant: Path, text: Path, base_file: Path) -> Figures:
    """Has llama-perplexity measure a model against the base file."""
    common = ["-f", str(text), "-c", str(args.chunk), "-b", str(args.chunk), "-t", str(args.threads), "-ngl", "0"]
    common += ["--chunks", str(args.chunks), "--kl-divergence-base", str(base_file)]
    if not base_file.exists():
        _ask(args.perplexity, ["-m", str(args.base), *common])
    for _ in range(TRIES):
        said = _ask(args.perplexity, ["-m", str(quant), *common, "--kl-divergence"])
        if "Same top p:" in said:
            break
    return Figures(
        _number(r"Mean\s+KLD:\s+(-?[\d.]+)", said),
        _number(r"Same top p:\s+([\d.]+)", said) / 100,
        float(np.log(_number(r"Mean PPL\(Q\)\s*:\s+([\d.]+)", said))),
    )


def _ask(program: str, arguments: list[str]) -> str:
    """What it says in its log file. Its logger is leaked on purpose, so a program that ends soon may lose its last lines: TRIES."""
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "log.txt"
        command = [program, *arguments, "--log-file", str(log)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{program} failed ({done.returncode}):\n{done.stderr[-2000:]}")
        return log.read_text(encoding="utf-8", errors="replace")


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"no {pattern!r} in what it printed:\n{text[-3000:]}")
    return float(found[1])


def chunks_of(base_file: Path) -> Iterator[Chunk]:
    """The base file: magic, chunk length, vocabulary, chunks, tokens; then per token scale, least value, 16-bit steps."""
    with base_file.open("rb") as file:
        if file.read(8) != MAGIC:
            raise SystemExit(f"{base_file} is no base file of llama-perplexity")
        length, vocabulary, count = struct.unpack("<3i", file.read(12))
        tokens = np.frombuffer(file.read(4 * length * count), dtype="<i4").reshape(count, length)
        for row in tokens:
            scored = length - 1 - length // 2
            yield Chunk(row.tolist(), np.stack([_row(file, vocabulary) for _ in range(scored)]))


def _row(file: IO[bytes], vocabulary: int) -> Any:
    scale, least = struct.unpack("<2f", file.read(8))
    width = 2 * ((vocabulary + 1) // 2)
    steps = np.frombuffer(file.read(2 * width), dtype="<u2")[:vocabulary]
    return np.float32(scale) * steps.astype(np.float32) + np.float32(least)


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ours(args: argparse.Namespace, quant: Path, base_file: Path) -> dict[str, float]:
    """The same figures by our engine's decode and our formulas, in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--inside",
        str(base_file),
        "--quant",
        str(quant),
        "--threads",
        str(args.threads),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def inside(args: argparse.Namespace) -> None:
    """Reads each chunk as llama-perplexity does: BOS in place of the first token where the vocabulary asks for it."""
    import llama_cpp

    from cpu_codegen.engine import binding
    from cpu_codegen.engine.context import Context
    from cpu_codegen.engine.likelihood import logits_of
    from cpu_codegen.fidelity.divergence import divergence, log_softmax, pack, unpack

    binding.start_backend()
    model = binding.Model(str(args.quant))
    adds_bos = llama_cpp.llama_vocab_get_add_bos(model.vocab)
    plain, packed, cut, tops, nll = list[float](), list[float](), list[float](), 0, 0.0
    context: Context | None = None
    for chunk in chunks_of(Path(args.inside)):
        length, half = len(chunk.tokens), len(chunk.tokens) // 2
        if context is None:
            context = Context(model, cells=length, sequences=1, outputs=length - half, threads=args.threads)
        context.clear()
        tokens = [llama_cpp.llama_vocab_bos(model.vocab) if adds_bos else chunk.tokens[0], *chunk.tokens[1:]]
        context.decode(tokens, range(length), [0] * length, [int(at >= half) for at in range(length)])
        rows = log_softmax(np.array(logits_of(context, length - half)[:-1]))
        plain += divergence(log_softmax(chunk.base), rows).tolist()
        packed += divergence(unpack(pack(log_softmax(chunk.base)), model.vocabulary), rows).tolist()
        kept = chunk.base > CUT_NATS
        cut += (np.exp(chunk.base) * (chunk.base - rows) * kept).sum(axis=1, dtype=np.float64).tolist()
        tops += int((chunk.base.argmax(axis=1) == rows.argmax(axis=1)).sum())
        nll -= float(rows[np.arange(len(rows)), chunk.tokens[half + 1 :]].sum(dtype=np.float64))
    told = {"mean_kl": float(np.mean(plain)), "packed_kl": float(np.mean(packed)), "cut_kl": float(np.mean(cut))}
    print(json.dumps({**told, "same_top": tops / len(plain), "ln_ppl": nll / len(plain), "tokens": len(plain)}))


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def quantized(folder: Path) -> dict[str, Path]:
    """Copies of the demo model, by llama.cpp's own quantizer."""
    import llama_cpp

    made = {}
    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, None)
    for name, kind in KINDS.items():
        params = llama_cpp.llama_model_quantize_default_params()
        params.ftype, params.allow_requantize, params.nthread = kind, True, 1
        made[name] = folder / f"demo-{name}.gguf"
        if llama_cpp.llama_model_quantize(str(demo_model()).encode(), str(made[name]).encode(), params):
            raise SystemExit(f"llama.cpp could not quantize to {name}")
    return made


def main() -> None:
    """Both programs on the same files; exit 1 when they disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--perplexity", help="llama-perplexity, of the same llama.cpp")
    parser.add_argument("--base", type=Path, help="the model that is measured by")
    parser.add_argument("--quant", type=Path, help="the model that is measured")
    parser.add_argument("--chunk", type=int, default=256, help="tokens of a chunk, at most 512")
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        inside(args)
        return
    if not args.perplexity:
        parser.error("--perplexity PATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = {args.quant.stem: args.quant} if args.quant else quantized(folder)
        args.base = args.base or models.pop("f16")
        text = folder / "text.txt"
        text.write_text("\n\n".join(path.read_text(encoding="utf-8") for path in sorted(problems_dir().rglob("*.py"))))
        off = [not compare(args, quant, text, folder / "base.kld") for quant in models.values()]
    sys.exit(int(any(off)))


def compare(args: argparse.Namespace, quant: Path, text: Path, base_file: Path) -> bool:
    """Prints one model's figures side by side; whether the mean KL agrees."""
    them = theirs(args, quant, text, base_file)
    us = ours(args, quant, base_file)
    allowed = max(RELATIVE * abs(them.mean_kl), ABSOLUTE)
    difference = us["mean_kl"] - them.mean_kl
    print(
        f"{quant.name}: mean KL {us['mean_kl']:.6f} here, {them.mean_kl:.6f} llama-perplexity "
        f"(difference {difference:+.6f}, allowed ±{allowed:.6f}); by its formula here {us['cut_kl']:.6f}; packed as ladder "
        f"keeps it {us['packed_kl']:.6f}; same top "
        f"{us['same_top']:.4f} / {them.same_top:.4f}; ln PPL {us['ln_ppl']:.5f} / {them.ln_ppl:.5f}; {us['tokens']:.0f} tokens"
    )
    return abs(difference) <= allowed


if __name__ == "__main__":
    main()
