"""The commands that put a choice to use hold what was measured best, and paste without harm."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from cpu_codegen.engine.room import BYTES_PER_VALUE
from cpu_codegen.machine import fingerprint
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.benched import Benched, recall, remember
from cpu_codegen.recommend.deploy import deployment, llama_server, modelfile, snippet
from tests.recommend.support import own

HUB = ModelSpec("coder@q4_k_m", quant="q4_k_m", repo="Org/Coder-GGUF", files=("coder-q4_k_m.gguf",))


def test_without_a_run_they_are_defaults_and_say_so() -> None:
    """Threads of the calibration, the hub's repo, f16."""
    found = deployment(HUB, "", [], threads=3)
    words = shlex.split(llama_server(found))
    assert words[:7] == ["llama-server", "-hf", "Org/Coder-GGUF:Q4_K_M", "-t", "3", "-c", "4096"]
    assert words[words.index("-ctk") + 1] == "f16"
    assert "no run of this file here compared them" in found.basis
    assert "from_pretrained(repo_id='Org/Coder-GGUF', filename='coder-q4_k_m.gguf'" in snippet(found)
    assert modelfile(found).startswith("FROM hf.co/Org/Coder-GGUF:Q4_K_M\n")


def test_what_was_measured_best_is_taken() -> None:
    """Threads of the fastest run, context and KV types of the one that solved most."""
    kept = {"ctx_tokens": 8192, "kv_type_k": "q8_0", "kv_type_v": "q8_0"}
    runs = [
        own("a", 30, threads=4, tokens_per_s=20.0, settings={"ctx_tokens": 2048}),
        own("b", 40, threads=2, tokens_per_s=10.0, settings=kept),
    ]
    found = deployment(HUB, "/models/c.gguf", runs, threads=9)
    assert (found.threads, found.ctx_tokens, found.kv_type_k, found.kv_type_v) == (4, 8192, "q8_0", "q8_0")
    assert "fastest of 2 counts" in found.basis
    line = llama_server(found)
    assert "-ctk q8_0 -ctv q8_0 -fa on" in line
    assert "type_v=llama_cpp.GGML_TYPE_Q8_0, flash_attn=True" in snippet(found)
    assert "OLLAMA_KV_CACHE_TYPE=q8_0" in modelfile(found)


@pytest.mark.parametrize("kind", BYTES_PER_VALUE)
def test_the_snippet_names_what_the_binding_has(kind: str) -> None:
    """A cache of any type that `--kv-type` takes: no constant stands there that llama-cpp-python lacks."""
    llama_cpp = pytest.importorskip("llama_cpp")
    text = snippet(
        deployment(HUB, "m.gguf", [own("a", 30, settings={"kv_type_k": kind, "kv_type_v": kind})], threads=1)
    )
    ast.parse(text)
    names = re.findall(r"llama_cpp\.(GGML_TYPE_\w+)", text)
    assert all(hasattr(llama_cpp, name) for name in names)
    assert (kind == "f16") == ("type_k=" not in text)


def test_a_bench_decides_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`bench -t auto` is kept per machine and file, and is surer than whatever a run happened to use."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    machine = fingerprint()
    assert recall(machine, "ab") is None
    remember(machine, "ab", Benched(3, 21.5, (1, 2, 3, 4)))
    kept = recall(machine, "ab")
    assert kept == Benched(3, 21.5, (1, 2, 3, 4))
    found = deployment(HUB, "", [own("a", 30, threads=4, tokens_per_s=20.0)], threads=9, benched=kept)
    assert found.threads == 3
    assert "best of 1, 2, 3, 4 in bench here" in found.basis


def test_a_hostile_path_stays_one_word() -> None:
    """Shell and Python see it as data."""
    path = "/models/a b'; rm -rf ~; '.gguf"
    found = deployment(HUB, path, [], threads=1)
    words = shlex.split(llama_server(found))
    assert words[words.index("-m") + 1] == path
    tree = ast.parse(snippet(found))
    assert path in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert 'FROM "/models/a b' in modelfile(found)


def test_the_snippet_is_python() -> None:
    """It parses, asks greedily and sets what bites by default: context, threads, seed."""
    text = snippet(deployment(HUB, "", [], threads=2))
    calls = {
        keyword.arg for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) for keyword in node.keywords
    }
    assert {"n_ctx", "n_threads", "n_threads_batch", "seed", "temperature", "max_tokens"} <= calls
