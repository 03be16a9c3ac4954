"""What commands say of what they made: escaped once for all of them, and strict JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from cpu_codegen.cli.options import Format
from cpu_codegen.cli.told import harness_errors, tell, tell_json, tell_lines


@dataclass(frozen=True)
class Rate:
    """A figure that may be unbounded."""

    value: float
    high: float


def test_names_from_files_and_hub_act_in_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A model's or a folder's name may hold anything."""
    tell([{"path": "x"}], ["runs/\x1b[2J\u202egpj"], output=Format.TABLE)
    assert capsys.readouterr().out == "runs/\\u{1b}[2J\\u{202e}gpj\n"


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    """Dataclasses are objects, infinities null; lines are lines."""
    tell_json({"rate": Rate(0.5, float("inf"))})
    assert json.loads(capsys.readouterr().out) == {"rate": {"value": 0.5, "high": None}}
    tell_lines([{"a": 1}, {"a": float("nan")}])
    assert capsys.readouterr().out == '{"a": 1}\n{"a": null}\n'


def test_one_harness_error_is_one() -> None:
    """Exit 5 either way."""
    assert str(harness_errors(1, "x")).startswith("1 sample could not be judged (harness_error) and counts")
    assert (str(harness_errors(2, "x")).split()[:2], harness_errors(2, "x").exit_code) == (["2", "samples"], 5)
