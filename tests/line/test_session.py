"""What an old folder may not differ in, each told by name; what it may is not asked."""

from __future__ import annotations

from typing import Any

import pytest

from cpu_codegen.config import RunConfig
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.session import differences, grow_scope, new_manifest

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
