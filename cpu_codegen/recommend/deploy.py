"""The chosen model put to use elsewhere: one llama-server line, a llama-cpp-python snippet, an Ollama Modelfile.

Threads are those that `bench -t auto` found best for the file on this machine, else those of its fastest own run; context and KV
types those of its best one. What nothing on this machine compared is a default, and says so.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.config import DEFAULT_CTX, DEFAULT_MAX_TOKENS
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.benched import Benched
from cpu_codegen.recommend.quality import Own

PLAIN_KV = "f16"


@dataclass(frozen=True, slots=True)
class Deployment:
    """How to run one model. `path` "" = not on this machine: it is fetched from `repo`. `basis` says what was measured."""

    name: str
    path: str
    repo: str
    file: str
    quant: str
    threads: int
    ctx_tokens: int
    kv_type_k: str
    kv_type_v: str
    basis: str


def deployment(
    spec: ModelSpec,
    path: str,
    runs: Sequence[Own],
    *,
    threads: int,
    ctx_tokens: int | None = None,
    benched: Benched | None = None,
) -> Deployment:
    """From this machine's bench and own runs of the file; `threads` and `ctx_tokens` stand in where there are none."""
    fast = max(
        (run for run in runs if run.tokens_per_s and run.threads), key=lambda r: r.tokens_per_s or 0.0, default=None
    )
    good = max((run for run in runs if run.settings), key=lambda r: (r.value, r.tokens_per_s or 0.0), default=None)
    settings = good.settings if good else {}
    compared = len({run.threads for run in runs if run.threads})
    return Deployment(
        name=spec.name,
        path=path,
        repo=spec.repo,
        file=spec.files[0] if spec.files else "",
        quant=spec.quant,
        threads=benched.threads if benched else fast.threads if fast else threads,
        ctx_tokens=int(settings.get("ctx_tokens") or ctx_tokens or DEFAULT_CTX),
        kv_type_k=str(settings.get("kv_type_k") or PLAIN_KV),
        kv_type_v=str(settings.get("kv_type_v") or PLAIN_KV),
        basis=f"{_threads_basis(benched, fast, compared)}; {_kv_basis(good)}",
    )


def _threads_basis(benched: Benched | None, fast: Own | None, compared: int) -> str:
    if benched is not None:
        tried = ", ".join(map(str, benched.tried))
        return f"threads: best of {tried} in bench here ({benched.tokens_per_s:.3g} tokens/s)"
    if fast is None:
        return "threads as calibrated, not compared for this file: cpu-codegen bench -m MODEL -t auto"
    if compared > 1:
        return f"threads: the fastest of {compared} counts in runs here"
    return f"threads as run here ({Path(fast.run).name})"


def _kv_basis(good: Own | None) -> str:
    if good is None:
        return "context and KV types by default: no run of this file here compared them"
    return f"context and KV types of the best run here ({Path(good.run).name})"


def commands(found: Deployment) -> list[tuple[str, str]]:
    """Title and text, ready to paste."""
    return [
        ("llama-server", llama_server(found)),
        ("llama-cpp-python", snippet(found)),
        ("Ollama: save as Modelfile, then ollama create my-coder -f Modelfile", modelfile(found)),
    ]


def llama_server(found: Deployment) -> str:
    """One stream, so that all of the context is its own."""
    source = ["-m", found.path] if found.path else ["-hf", f"{found.repo}:{found.quant.upper()}"]
    words = ["llama-server", *source, "-t", str(found.threads), "-c", str(found.ctx_tokens), "-np", "1"]
    words += ["-ctk", found.kv_type_k, "-ctv", found.kv_type_v]
    if found.kv_type_v != PLAIN_KV:
        words += ["-fa", "on"]  # llama.cpp quantizes V only with it
    return shlex.join([*words, "--jinja", "--temp", "0", "--host", "127.0.0.1", "--port", "8080"])


def snippet(found: Deployment) -> str:
    """Every default of the binding that bites is set."""
    options = [f"n_ctx={found.ctx_tokens}", f"n_threads={found.threads}", f"n_threads_batch={found.threads}", "seed=0"]
    if found.kv_type_k != PLAIN_KV:
        options.append(f"type_k={_type_name(found.kv_type_k)}")
    if found.kv_type_v != PLAIN_KV:
        options += [f"type_v={_type_name(found.kv_type_v)}", "flash_attn=True"]
    options.append("verbose=False")
    opened = (
        f"Llama(model_path={found.path!r}"
        if found.path
        else f"Llama.from_pretrained(repo_id={found.repo!r}, filename={found.file!r}"
    )
    return (
        "import llama_cpp\n"
        "from llama_cpp import Llama\n\n"
        f"llm = {opened}, {', '.join(options)})\n"
        'messages = [{"role": "user", "content": "Write a Python function that …"}]\n'
        f"answer = llm.create_chat_completion(messages, temperature=0.0, max_tokens={DEFAULT_MAX_TOKENS})\n"
        'print(answer["choices"][0]["message"]["content"])'
    )


def _type_name(kind: str) -> str:
    """The binding's constant; it has none for bf16, whose number in ggml is 30."""
    return "30" if kind == "bf16" else f"llama_cpp.GGML_TYPE_{kind.upper()}"


def modelfile(found: Deployment) -> str:
    """Ollama's own defaults (a short context, a repeat penalty) are overruled; its KV type is the server's environment."""
    source = found.path or f"hf.co/{found.repo}:{found.quant.upper()}"
    lines = [
        f'FROM "{source}"' if any(c.isspace() for c in source) else f"FROM {source}",
        f"PARAMETER num_ctx {found.ctx_tokens}",
        f"PARAMETER num_thread {found.threads}",
        f"PARAMETER num_predict {DEFAULT_MAX_TOKENS}",
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1",
    ]
    if found.kv_type_v != PLAIN_KV:
        lines.insert(0, f"# ollama serve with OLLAMA_FLASH_ATTENTION=1 OLLAMA_KV_CACHE_TYPE={found.kv_type_v}")
    return "\n".join(lines)
