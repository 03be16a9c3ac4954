"""What an old folder may not differ in, each told by name; what it may is not asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.config import RunConfig
from cpu_codegen.deadline import Deadline
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.progress import Silent
from cpu_codegen.session import differences, grow_scope, new_manifest, open_run

CONFIG = RunConfig("demo", limit=1, offline=True)


@pytest.fixture(scope="module")
def inputs() -> RunInputs:
    """One problem for the demo model."""
    return prepare(CONFIG)


@pytest.fixture
def manifest(inputs: RunInputs) -> dict[str, Any]:
    """Of a run that began with just these."""
    made = new_manifest(inputs)
    grow_scope(made, CONFIG, inputs)
    return made


def test_the_same_run_goes_on(inputs: RunInputs, manifest: dict[str, Any]) -> None:
    """Nothing differs; another machine, version or status is no other run; an old folder stands for later settings' defaults."""
    assert differences(manifest, inputs) == []
    manifest |= {"status": "interrupted", "machine": {"id": "elsewhere"}, "versions": {}, "cpu_codegen": "0.0.1"}
    for later in ("think", "loop_stop"):
        manifest["settings"].pop(later, None)
    assert differences(manifest, inputs) == []


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("model", "sha256"), "other", "what the file holds that is named demo@q8_0"),
        (("model",), {"name": "another", "sha256": "other"}, "model another, now demo@q8_0"),
        (("settings", "max_tokens"), 77, "max_tokens 77, now 1024"),
        (("settings", "think"), "off", "think off, now auto"),
        (("prompts", "plain", "sha256"), "other", "the prompt text of style plain"),
        (("template_hash",), "other", "the chat template"),
    ],
)
def test_one_thing_that_differs_is_told(
    inputs: RunInputs, manifest: dict[str, Any], where: tuple[str, ...], value: object, told: str
) -> None:
    """By its name, and alone."""
    *path, last = where
    inner = manifest
    for name in path:
        inner = inner[name]
    inner[last] = value
    assert differences(manifest, inputs) == [told]


def test_a_session_keeps_the_time_that_it_was_given(inputs: RunInputs, tmp_path: Path) -> None:
    """--max-hours and --until are free, and recorded per session: as seconds from its start."""
    config = replace(CONFIG, out=str(tmp_path / "run"))
    for deadline in (Deadline(3600.0), None):
        with open_run(config, inputs, argv=["run"], progress=Silent(), deadline=deadline) as session:
            session.end("partial")
    first, second = json.loads((tmp_path / "run" / "manifest.json").read_text())["sessions"]
    assert 3500 < first["deadline_s"] <= 3600
    assert "deadline_s" not in second
