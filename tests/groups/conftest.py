"""Real models for groups: the demo model and two copies of it in other quantizations, made by llama.cpp's own quantizer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cpu_codegen.packaged import demo_model
from tests.line.conftest import cpu_codegen, line_env, line_home

__all__ = ["cpu_codegen", "line_env", "line_home"]

_QUANTIZE = """
import sys, llama_cpp
parameters = llama_cpp.llama_model_quantize_default_params()
parameters.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + sys.argv[3])
parameters.allow_requantize = True
parameters.nthread = 1
sys.exit(llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), parameters))
"""


@pytest.fixture(scope="session")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The demo model as Q4_0 and as Q5_0."""
    folder = tmp_path_factory.mktemp("quantized")
    made = (folder / "demo-Q4_0.gguf", folder / "demo-Q5_0.gguf")
    for path, kind in zip(made, ("Q4_0", "Q5_0"), strict=True):
        command = [sys.executable, "-c", _QUANTIZE, str(demo_model()), str(path), kind]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return made
