"""`run --config FILE`: names, lines, what is typed goes first, and the round trip through a manifest."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.cli import evaluate as evaluated
from cpu_codegen.cli import run as command
from cpu_codegen.cli.commands import load
from cpu_codegen.config import Campaign, RunConfig, Settings
from cpu_codegen.config_file import LEFT_OUT, LEFT_OUT_SETTINGS, config_record
from cpu_codegen.errors import UsageError
from cpu_codegen.schema import Sampling

WHOLE = """\
models: [demo, ./c.gguf]
suites: [lowcost60]
styles: [plain, cot]
levels: easy
n: 2
seed: 7
sampling: {temperature: 0.2, top_p: 0.95}
budgets:
  max_tokens: 512
  efficiency_budget: 90s
  max_hours: 8
  until: 07:30
parallel: 4
early_stop: false
race: yes
screen: 12
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`asked("--config", "x.yaml", …)` → the campaign that `run` would begin."""
    monkeypatch.chdir(tmp_path)
    seen: list[Campaign] = []
    monkeypatch.setattr(command, "evaluate", lambda campaign, output: seen.append(campaign))
    assert evaluated.evaluate is not None

    def ask(*arguments: str) -> Campaign:
        load("run").main(list(arguments), standalone_mode=False)
        return seen[-1]

    return ask


def test_a_file_asks_for_all_that_options_do(asked: Any) -> None:
    """Every value arrives; a time of day needs no quotes."""
    Path("x.yaml").write_text(WHOLE)
    found = asked("--config", "x.yaml")
    assert found.models == ("demo", "./c.gguf")
    assert (found.max_hours, found.until, found.race, found.screen) == (8.0, "07:30", True, 12)
    run = found.run
    assert (run.styles, run.levels, run.samples_per_problem, run.parallel) == (("plain", "cot"), ("easy",), 2, 4)
    assert run.settings.sampling == Sampling(0.2, 0.95)
    assert (run.settings.max_tokens, run.settings.seed, run.settings.early_stop) == (512, 7, False)
    assert run.efficiency_budget_s == 90.0


def test_what_is_typed_goes_first_and_m_replaces_the_models(asked: Any) -> None:
    """Flags override single values; -m does not add to the file's models."""
    Path("x.yaml").write_text(WHOLE)
    found = asked("--config", "x.yaml", "-m", "other", "--max-tokens", "99", "--early-stop", "--style", "cot")
    assert found.models == ("other",)
    assert found.run.settings.max_tokens == 99
    assert found.run.settings.early_stop
    assert found.run.styles == ("cot",)
    assert found.run.settings.seed == 7


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("models: [demo]\nstyle: cot\n", 2, "no such field"),
        ("models: [demo]\nmax_tokens: 5\n", 2, "belongs under budgets"),
        ("sampling:\n  heat: 3\n", 2, "sampling.heat: no such field"),
        ("models: [demo]\n\nn: many\n", 3, "n: "),
        ("n: 0\n", 1, "n: "),
        ("sampling:\n  temperature: hot\n", 2, "sampling.temperature"),
        ("levels: [easy, tricky]\n", 1, "'tricky' is none of easy, medium, hard"),
        ("comparator: fair\n", 1, "'fair' is none of strict, evalplus"),
        ("seed: [1, 2]\n", 1, "found a list"),
        ("models: {a: b}\n", 1, "found fields"),
        ("models: [demo]\nout: x\n", 2, "command line: --out"),
        ("allow_weak_isolation: true\n", 1, "command line"),
        ("seed: 1\nseed: 2\n", 2, "stands twice"),
        ("models: [demo\n", 2, "not YAML"),
        ("- demo\n", 1, "expected fields"),
    ],
)
def test_what_is_wrong_is_refused_with_line_and_field(asked: Any, text: str, line: int, says: str) -> None:
    """Exit 2, before anything is loaded."""
    Path("x.yaml").write_text(text)
    with pytest.raises(UsageError) as refused:
        asked("--config", "x.yaml")
    assert str(refused.value).startswith(f"x.yaml:{line}: ")
    assert says in str(refused.value)
    assert refused.value.remedy


def test_a_file_that_is_not_there_and_an_empty_one(asked: Any) -> None:
    """The first is refused by name; the second asks for nothing, so -m alone decides."""
    with pytest.raises(UsageError, match=r"nowhere\.yaml"):
        asked("--config", "nowhere.yaml")
    Path("x.yaml").write_text("")
    assert asked("--config", "x.yaml", "-m", "demo").models == ("demo",)


def test_a_manifest_gives_its_config_and_nothing_else(asked: Any) -> None:
    """The record in a manifest asks for the same run again, in another folder."""
    config = RunConfig(
        "demo",
        styles=("plain", "cot"),
        limit=3,
        settings=Settings(sampling=Sampling(0.5, 0.9), max_tokens=300, think=64, kv_type_k="q8_0"),
        max_ram_bytes=2_000_000_000,
        efficiency_budget_s=0.0,
        out="somewhere",
        allow_weak_isolation=True,
    )
    Path("manifest.json").write_text(
        json.dumps({"schema": 1, "status": "finished", "settings": {"seed": 9}, "config": config_record(config)})
    )
    found = asked("--config", "manifest.json")
    assert found.models == ("demo",)
    assert found.run == replace(config, out=None, allow_weak_isolation=False)


def test_every_option_of_a_run_is_in_the_record_or_left_out_on_purpose() -> None:
    """A new field of RunConfig or Settings gets a name in the file, or stands in the list of those that are only typed."""
    parameters = {parameter.name for parameter in load("run").params}
    renamed = {"samples_per_problem": "n", "efficiency_budget_s": "efficiency_budget", "max_ram_bytes": "max_ram"}
    renamed |= {"engine_url": "engine", "ctx_tokens": "ctx", "styles": "style", "levels": "level"}
    named = {renamed.get(f.name, f.name) for f in fields(RunConfig) if f.name not in LEFT_OUT}
    named |= {renamed.get(f.name, f.name) for f in fields(Settings) if f.name not in LEFT_OUT_SETTINGS}
    assert named <= parameters


def test_models_may_stand_by_comma_and_a_file_may_have_one_in_its_name(asked: Any) -> None:
    """As in `plan`; a model that stands twice is kept, so that it can be refused."""
    Path("a,b.gguf").write_bytes(b"GGUF")
    assert asked("-m", "demo,phi-2", "-m", "a,b.gguf", "-m", "demo").models == ("demo", "phi-2", "a,b.gguf", "demo")


def test_a_budget_of_weeks_is_read_back(asked: Any) -> None:
    """Seconds are never written as 1e+06, which no option takes."""
    config = RunConfig("demo", efficiency_budget_s=1_080_000.5)
    Path("manifest.json").write_text(json.dumps({"config": config_record(config)}))
    assert asked("--config", "manifest.json").run.efficiency_budget_s == 1_080_000.5
