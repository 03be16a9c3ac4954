"""`cpu-codegen recommend` through the command line's own parser, on a machine whose calibration is known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from shutil import copy2
from typing import Any

import pytest

from cpu_codegen.cli import app
from cpu_codegen.errors import UsageError
from cpu_codegen.machine import default_threads, fingerprint
from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.packaged import demo_model
from cpu_codegen.plan import calibration as module
from cpu_codegen.plan.calibration import Calibration, cache_file, save
from tests.recommend.support import write_run

Call = Callable[..., str]
ROOM = ["--as-if", "ram=8G"]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], calibrated: Calibration, monkeypatch: pytest.MonkeyPatch) -> Call:
    """stdout of `recommend`; measuring now would be a mistake."""
    machine = fingerprint()
    save(cache_file(machine, default_threads(machine)), calibrated)
    monkeypatch.setattr(module, "measure", lambda *a, **k: pytest.fail("something was measured again"))

    def call(*arguments: str) -> str:
        capsys.readouterr()
        app(["recommend", *arguments], standalone_mode=False)
        return capsys.readouterr().out

    return call


def told(text: str) -> dict[str, Any]:
    """The JSON object."""
    found: dict[str, Any] = json.loads(text)
    return found


def test_names_come_first_then_the_fronts_then_how_to_use_the_first(call: Call) -> None:
    """For people."""
    text = call(*ROOM)
    lines = text.splitlines()
    assert lines[0].startswith("as if: ram=8G")
    assert lines[2].startswith("1. ")
    assert "pass@1 here" in text
    assert "published, unquantized, not measured here" in text
    assert "no data on " in text
    assert "\nllama-server -hf " in text
    assert "\nFROM hf.co/" in text


def test_json_has_names_fronts_and_commands(call: Call) -> None:
    """For machines: at most three names; every model of the front is usable; published never without its setting."""
    found = told(call(*ROOM, "-o", "json"))
    assert 1 <= len(found["choices"]) <= 3
    assert found["choices"][0]["basis"] == "published"
    for row in found["front"]:
        assert row["verdict"] in ("fits", "tight")
        assert row["tokens_per_s_estimate"] >= 5
        assert row["own"] is None
        assert row["published"]["setting"]
        assert row["published"]["source"]
    assert set(found["use"]) == {"llama-server", "llama-cpp-python", "Ollama"}


@pytest.mark.parametrize("output", ["table", "md", "csv", "jsonl", "latex", "html"])
def test_every_format(call: Call, output: str) -> None:
    """The same models in each."""
    first = told(call(*ROOM, "-o", "json"))["front"][0]["model"]
    text = call(*ROOM, "-o", output)
    assert first.replace("_", r"\_") in text or first in text
    if output == "csv":
        assert len(list(csv.DictReader(io.StringIO(text)))) == len(told(call(*ROOM, "-o", "json"))["front"])


def test_slow_models_are_never_named(call: Call) -> None:
    """--min-speed: a higher bar leaves fewer, never a slower first name."""
    slowest = told(call(*ROOM, "--min-speed", "15", "-o", "json"))
    assert all(row["tokens_per_s_estimate"] >= 15 for row in slowest["front"])
    assert slowest["left_out"]["too slow"] > 20


def test_what_a_licence_keeps_from_being_named_is_said(call: Call) -> None:
    """Qwen2.5-Coder 3B stands in the table; a name that may not be used at work is none."""
    found = told(call(*ROOM, "--min-speed", "3", "-o", "json"))
    assert "qwen2.5-coder-3b@q4_k_m" in found["not_named_non_commercial"]
    assert all("coder-3b" not in choice["model"] for choice in found["choices"])
    assert "forbids commercial use: qwen2.5-coder-3b" in call(*ROOM, "--min-speed", "3")


def test_nothing_fits_is_said(call: Call) -> None:
    """A machine without room: no name, exit 0, and where to look."""
    text = call("--as-if", "ram=60M")
    assert "no model of the registry fits" in text
    assert told(call("--as-if", "ram=60M", "-o", "json"))["choices"] == []


def test_own_runs_of_the_very_file_come_first(call: Call, tmp_path: Path) -> None:
    """Found by its digest; the score stands in a column of its own, with n."""
    spec = load_catalogue().models["qwen2.5-coder-0.5b"]["q4_k_m"]
    model = {"name": spec.name, "alias": spec.alias, "quant": spec.quant, "sha256": spec.sha256s[0]}
    write_run(tmp_path / "runs" / "1-a", spec.name, "lowcost60", 60, 12, model=model)
    found = told(call(*ROOM, "-o", "json"))
    assert (found["choices"][0]["model"], found["choices"][0]["basis"]) == (spec.name, "measured")
    row = next(row for row in found["front"] if row["model"] == spec.name)
    assert (row["own"]["pass@1"], row["own"]["n"]) == (0.2, 60)
    assert row["published"]["value"] == 57.3
    assert found["choices"][1]["basis"] == "published"


def test_a_file_outside_the_registry_counts_once_it_was_run(call: Call, tmp_path: Path) -> None:
    """With its own score and its measured speed, under the name that was typed; its commands hold the whole path."""
    copy2(demo_model(), tmp_path / "mine.gguf")
    model = {"name": "./mine.gguf", "alias": "", "quant": "", "sha256": "c" * 64, "paths": ["mine.gguf"]}
    engine = {"kind": "llama.cpp", "width": 1, "threads": 1}
    machine = {"id": fingerprint().id}
    write_run(tmp_path / "runs" / "1-mine", "mine", "lowcost60", 60, 30, model=model, engine=engine, machine=machine)
    found = told(call("-o", "json"))
    assert (found["choices"][0]["model"], found["choices"][0]["basis"]) == ("./mine.gguf", "measured")
    row = next(row for row in found["front"] if row["model"] == "./mine.gguf")
    assert row["own"]["pass@1"] == 0.5
    assert row["tokens_per_s_measured"] == pytest.approx(20.0)
    assert str(tmp_path / "mine.gguf") in found["use"]["llama-server"]


def test_the_demo_model_of_another_installation_is_no_candidate(call: Call, tmp_path: Path) -> None:
    """It has seen the problems, wherever its file lies."""
    copy2(demo_model(), tmp_path / "demo.gguf")
    model = {"name": "demo@q8_0", "alias": "demo", "quant": "q8_0", "sha256": "c" * 64, "paths": ["demo.gguf"]}
    engine, machine = {"kind": "llama.cpp", "width": 1, "threads": 1}, {"id": fingerprint().id}
    write_run(tmp_path / "runs" / "1-demo", "demo", "lowcost60", 60, 54, model=model, engine=engine, machine=machine)
    found = told(call("-o", "json"))
    assert not [row["model"] for row in found["front"] if "demo" in row["model"]]
    assert "measured" not in {choice["basis"] for choice in found["choices"]}


def test_one_file_stands_for_its_models_published_score(call: Call) -> None:
    """The smallest quantization of a ladder is not "the fastest for that score"."""
    front = told(call(*ROOM, "--min-speed", "0", "-o", "json"))["front"]
    aliases = [row["model"].partition("@")[0] for row in front]
    assert len(aliases) == len(set(aliases))
    assert not any(row["model"].endswith(("q2_k", "q3_k_m")) for row in front)


def test_only_among_the_models_asked_about(call: Call) -> None:
    """-m narrows it down; --use gives the commands of another one."""
    models = "qwen2.5-coder-0.5b,qwen2.5-coder-1.5b"
    found = told(call(*ROOM, "-m", models, "--use", "qwen2.5-coder-0.5b", "-o", "json"))
    assert {row["model"].partition("@")[0] for row in found["front"]} <= set(models.split(","))
    assert "Qwen2.5-Coder-0.5B-Instruct-GGUF" in found["use"]["llama-server"]


def test_commands_only_for_what_fits(call: Call) -> None:
    """--use of a model that does not fit, or of none, is exit 2."""
    with pytest.raises(UsageError, match="not among the"):
        call(*ROOM, "--use", "qwen3-coder-30b-a3b")


def test_without_speeds_it_says_so(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where llama.cpp cannot be used nothing is timed; names come without a speed, and with that said."""
    cache_file(fingerprint(), default_threads(fingerprint())).unlink()
    monkeypatch.setattr(module, "measure", lambda *a, **k: None)
    text = call(*ROOM)
    assert "at a speed that is not known" in text
    assert "whether the names are fast enough is not known" in text


def test_run_without_a_model_names_the_recommendation(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """The same first name, with its sentence, and exit 2."""
    first = told(call("-o", "json"))["choices"]
    with pytest.raises(UsageError) as caught:
        app(["run"], standalone_mode=False)
    assert caught.value.remedy == f"-m {first[0]['model'] if first else 'MODEL'}"
    listed = capsys.readouterr().err
    assert not first or first[0]["sentence"] in listed
    assert not first or "fit and are fast enough: " in listed


def test_plan_names_the_same_first(call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`plan`'s next line, its JSON and `recommend` have one chooser, own runs included."""
    spec = load_catalogue().models["qwen2.5-coder-0.5b"]["q4_k_m"]
    model = {"name": spec.name, "alias": spec.alias, "quant": spec.quant, "sha256": spec.sha256s[0]}
    for runs in (0, 1):
        if runs:
            write_run(tmp_path / "runs" / "1-a", spec.name, "lowcost60", 60, 12, model=model)
        first = told(call(*ROOM, "-o", "json"))["choices"][0]
        app(["plan", *ROOM], standalone_mode=False)
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1].startswith(f"next: cpu-codegen run -m {first['model']} ")
        assert f"{first['model']}: {first['sentence']}" in lines
        app(["plan", *ROOM, "-o", "json"], standalone_mode=False)
        assert told(capsys.readouterr().out)["recommended"] == first["model"]
