"""What a run asks of the plan before it begins."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from cpu_codegen.config import RunConfig, Settings
from cpu_codegen.plan.question import Question, question_of


def test_a_run_asks_with_all_that_decides_its_memory_and_time() -> None:
    """KV types, --max-ram and threads too; and never with network or calibration, which a run's start has no time for."""
    settings = Settings(ctx_tokens=2048, max_tokens=300, kv_type_k="q8_0", think=64)
    config = RunConfig(
        "m@q4_0",
        suites=("lowcost60", "humaneval"),
        styles=("plain", "cot"),
        settings=settings,
        threads=3,
        models_file="my.yaml",
        keep_going=True,
        max_ram_bytes=2_000_000_000,
    )
    assert question_of(config) == Question(
        models=("m@q4_0",),
        suites=("lowcost60", "humaneval"),
        styles=("plain", "cot"),
        ctx_tokens=2048,
        max_tokens=300,
        kv_type="k=q8_0,v=f16",
        max_ram_bytes=2_000_000_000,
        threads=3,
        calibrate=False,
        models_file=Path("my.yaml"),
        offline=True,
        keep_going=True,
        think=64,
    )


def test_a_run_without_options_asks_what_plan_asks() -> None:
    """The defaults of `run` and of `plan` are the same, so that the line before a run is the row of the table."""
    asked, plain = question_of(RunConfig("m")), Question(("m",))
    differing = {f.name for f in fields(Question) if getattr(asked, f.name) != getattr(plain, f.name)}
    assert differing == {"kv_type", "offline", "calibrate"}
    assert (asked.kv_type, plain.kv_type) == ("k=f16,v=f16", "f16")
