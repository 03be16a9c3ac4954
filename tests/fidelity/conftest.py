"""Quantized copies of the demo model, made here by llama.cpp's own quantizer in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cpu_codegen.packaged import demo_model

QUANTIZE = """
import sys, llama_cpp as L
source, *targets = sys.argv[1:]
for kind, target in zip(targets[::2], targets[1::2]):
    params = L.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize, params.nthread = int(kind), True, 1
    assert L.llama_model_quantize(source.encode(), target.encode(), params) == 0
"""
KINDS = {"f16": 1, "q8_0": 7, "q4_0": 2, "q2_k": 10}


@pytest.fixture(scope="session")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`quant` → file, all of one model: demo-f16.gguf and so on."""
    pytest.importorskip("llama_cpp")
    folder = tmp_path_factory.mktemp("quantized")
    made = {quant: folder / f"demo-{quant}.gguf" for quant in KINDS}
    arguments = [str(part) for quant, path in made.items() for part in (KINDS[quant], path)]
    command = [sys.executable, "-c", QUANTIZE, str(demo_model()), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return made
