"""scripts/bench_engine.py: how much it asks of a slow machine, and that figures are told when they are known."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from scripts.bench_engine import affordable_tokens, round_s, tell

ARGS = argparse.Namespace(prompts=32, width=32, minutes=8.0, tokens=32)
FACTS = {"tokens": 1024, "anonymous_bytes": 10**9, "decode_rate": 14.0, "python_ms_per_step": 0.2}
TOTALS = {"prefix_tokens": 256, "prompt_tokens": 2048}


def test_a_slow_machine_generates_fewer_tokens() -> None:
    """At 20 tokens/s of prompts a round stays under eight minutes with its speeds; a fast machine does what the issue asks."""
    slow, fast = {"pp512": 20.0, "tg64": 8.0}, {"pp512": 65.0, "tg64": 21.0}
    spent_s = 2 * (512 / 20 + 64 / 8)
    tokens = affordable_tokens(slow, ARGS, spent_s)
    assert 16 <= tokens < 128
    assert spent_s + round_s(slow, ARGS, tokens) < 480
    assert affordable_tokens(fast, ARGS, 20) == 128


def test_figures_are_told_as_soon_as_they_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    """Every ratio stands behind the second of its two contenders, in whatever order they run; fewer tokens are projected to 128."""
    found: dict[str, dict[str, Any]] = {
        "engine": {**FACTS, "seconds": 200.0, "totals": TOTALS},
        "inside": FACTS,
        "bare": {**FACTS, "seconds": 196.0},
        "serial": {**FACTS, "seconds": 300.0},
    }
    rounds: list[dict[str, dict[str, Any]]] = [{}]
    said = {}
    for name, figures in found.items():
        rounds[0][name] = figures
        tell(name, rounds, {"pp512": 20.0, "tg64": 8.0}, ARGS)
        said[name] = capsys.readouterr().out
    assert "256 shared tokens once + 2048 own tokens" in said["engine"]
    assert "0.200 ms of Python" in said["inside"]
    assert "engine / bare         0.980" in said["bare"]
    assert "memory over bare      0 MB" in said["bare"]
    assert "engine / serial       1.500" in said["serial"]
    more = 32 * (128 - 32)
    projected = (300 + more / 8) / (200 + more / 14)
    assert f"engine / serial       {projected:.2f}   estimated for 128" in said["serial"]
