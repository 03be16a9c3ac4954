"""A machine with known speeds, so that a plan's arithmetic can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.gguf_types import TYPES_BY_NAME
from cpu_codegen.plan.calibration import Calibration, TypeCost

BANDWIDTH = 12e9
ARITHMETIC_S = 2e-11
"""Seconds per weight and token when arithmetic is the limit: 50 G weights a second."""


@pytest.fixture(autouse=True)
def _own_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache, no model and no run of this machine is seen."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def cost(kind: str, *, spread: float = 0.02) -> TypeCost:
    """A type on a machine of 12 GB/s that multiplies 50 G weights a second."""
    reading = TYPES_BY_NAME[kind].bits_per_value / 8 / BANDWIDTH
    seconds = {n: max(reading, n * ARITHMETIC_S) for n in (1, 4, 8, 16, 128)}
    return TypeCost(seconds, spread, repacked=kind in ("q4_k", "q4_0"))


@pytest.fixture
def calibrated() -> Calibration:
    """All common types; a layer as such costs 20 µs."""
    kinds = ("q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "q8_0", "q4_0", "q5_0", "mxfp4", "f16")
    return Calibration(
        threads=2,
        types={kind: cost(kind) for kind in kinds},
        layer_s=20e-6,
        attention_s={1: 1e-9, 128: 1e-10},
        took_s=9.0,
    )
