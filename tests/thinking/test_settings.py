"""--think and its relatives as settings: what they refuse, what they do to keys and folders, what the manifest says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.config import RunConfig, Settings
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.schema import Sampling
from cpu_codegen.session import differences, grow_scope, new_manifest
from tests.conftest import REPO

THINKER = str(REPO / "tests" / "data" / "thinker.gguf")


def inputs(model: str = THINKER, **settings: Any) -> RunInputs:
    """A run of one problem, prepared."""
    return prepare(RunConfig(model=model, limit=1, settings=Settings(**settings)))


def folder_of(prepared: RunInputs) -> dict[str, Any]:
    """The manifest that such a run begins with."""
    manifest = new_manifest(prepared)
    grow_scope(manifest, RunConfig(model=THINKER), prepared)
    return manifest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--think", "maybe"], "--think 'maybe' is not known"),
        (["--think", "0"], "--think '0' is not known"),
        (["--sampling", "best"], "--sampling 'best' is not known"),
        (["--sampling", "recommended", "--temperature", "0.5"], "exclude each other"),
        (["--sampling", "recommended"], "no recommended sampling"),
        (["--think", "9000", "--max-tokens", "64"], "cannot hold"),
        (["--engine", "http://127.0.0.1:9", "--think", "9"], "does not reach a server"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(arguments: list[str], message: str, tmp_path: Path) -> None:
    """Exit 2 before anything is loaded, and no folder is made."""
    result = CliRunner().invoke(app, ["run", "-m", THINKER, "--out", str(tmp_path / "r"), *arguments])
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert not (tmp_path / "r").exists()


def test_another_think_is_another_folder() -> None:
    """auto, on, off and budgets have keys of their own; an old folder refuses another value, a folder without one is auto."""
    ways = [inputs(), inputs(think="on"), inputs(think="off"), inputs(think=64), inputs(loop_stop=False)]
    assert len({prepared.samples[0].key for prepared in ways}) == len(ways)
    auto, on, *_ = ways
    assert differences(folder_of(auto), auto) == []
    assert "think auto, now on" in differences(folder_of(auto), on)
    assert "think on, now auto" in differences(folder_of(on), auto)
    assert "think" not in folder_of(auto)["settings"]


def test_a_model_that_does_not_reason_has_the_same_keys_whatever_is_asked() -> None:
    """The option is ignored, so it is in no key; the manifest says so."""
    auto, asked = inputs("demo"), inputs("demo", think=512)
    assert auto.samples[0].key == asked.samples[0].key
    assert differences(folder_of(auto), asked) == []
    told = folder_of(asked)["thinking"]
    assert told["state"] == "none"
    assert "--think 512 is ignored" in told["note"]


def test_the_manifest_tells_how_the_model_reasons() -> None:
    """State, budget, switch, tags, sequence and where they are known from."""
    told = folder_of(inputs(think=64))["thinking"]
    assert (told["asked"], told["state"], told["budget_tokens"], told["switch"]) == (64, "on", 64, "enable_thinking")
    assert (told["opening"], told["closing_sequence"]) == ("<think>", "\n</think>\n\n")
    assert told["source"] == "the chat template"


def test_recommended_sampling_enters_the_keys_as_its_values(tmp_path: Path) -> None:
    """The same key as when the values are typed; requests carry them."""
    registry = tmp_path / "models.yaml"
    registry.write_text(
        "models:\n  mine:\n    thinking: switchable\n    sampling:\n      plain: {temperature: 0.7, top_k: 20}\n"
        f"      source: here\n    files:\n      q8_0: {{path: {THINKER}, source: here}}\n",
        encoding="utf-8",
    )

    def asked(**settings: Any) -> RunInputs:
        config = RunConfig("mine", limit=1, models_file=str(registry), settings=Settings(think="off", **settings))
        return prepare(config)

    recommended, typed = asked(recommended=True), asked(sampling=Sampling(0.7, 1.0, 20, 0.0))
    assert recommended.samples[0].key == typed.samples[0].key
    assert recommended.samples[0].sampling == Sampling(0.7, 1.0, 20, 0.0)
    assert recommended.settings["sampling"]["temperature"] == 0.7
