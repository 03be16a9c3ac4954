"""`plan --require`: verdicts from estimates are marked, pass@1 comes from own runs of the same file; and what still fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.calibration import Calibration
from cpu_codegen.plan.estimate import Plan, Room, make_plan
from cpu_codegen.plan.fitting import fitting, largest_context
from cpu_codegen.plan.gate import plan_gates
from cpu_codegen.plan.measured import Measured
from cpu_codegen.plan.memory import ram
from cpu_codegen.plan.shape import Shape, shape_of_spec
from cpu_codegen.plan.work import work
from cpu_codegen.registry import resolve
from cpu_codegen.requirements import Gate, parse_requirements
from tests.plan.conftest import _own_caches, calibrated
from tests.report.support import write_run

__all__ = ["_own_caches", "calibrated"]
MODEL = "qwen2.5-coder-1.5b"


def a_plan(machine: Calibration, name: str = MODEL, measured: Measured | None = None) -> Plan:
    """Of a model of the registry that is not here."""
    spec = resolve(name)
    todo = work(("lowcost60",), ("plain",), spec, max_tokens=1024)
    return make_plan(spec, shape_of_spec(spec), machine, Room(8_000_000_000, None), todo, measured=measured)


def gate(plan: Plan, text: str, runs: Path = Path("runs")) -> Gate:
    """One plan against terms."""
    (found,) = plan_gates([plan], parse_requirements(text), ("lowcost60",), ("plain",), runs=runs)
    return found


def test_estimates_give_marked_verdicts(calibrated: Calibration) -> None:
    """Claim: RAM, time to first token and seconds a problem are judged by the plan's intervals and marked as estimates."""
    plan = a_plan(calibrated)
    assert plan.ram is not None
    found = gate(plan, "ram<8G,ttft<600s,s_per_problem<1h")
    assert [f.shown for f in found.findings] == ["PASS (estimated)"] * 3
    assert found.shown == "PASS (estimated)"
    assert gate(plan, "ram<100M").shown == "FAIL (estimated)"
    assert gate(plan, f"ram<{plan.ram.peak_bytes}").verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("term", "why"),
    [
        ("wh_per_problem<1", "energy is not estimated"),
        ("ttft_p95<5s", "a 95th percentile is not estimated"),
        ("pass@1[lowcost60,plain]>0.5", "no own run of this file: cpu-codegen run -m"),
        ("ttft[humaneval]<5s", "the plan is of lowcost60, plain"),
        ("s_per_problem[cot]<60", "the plan is of lowcost60, plain"),
        ("ram[easy]<2G", "a plan knows no levels"),
    ],
)
def test_what_a_plan_cannot_know_is_inconclusive(term: str, why: str, calibrated: Calibration) -> None:
    """Claim: nothing is invented: the reason stands in the evidence."""
    (finding,) = gate(a_plan(calibrated), term).findings
    assert finding.verdict == "INCONCLUSIVE"
    assert why in finding.evidence


def test_pass_at_1_comes_from_own_runs_of_that_digest(calibrated: Calibration, tmp_path: Path) -> None:
    """Claim: the newest run of the same file answers, without the mark of an estimate; a run of another file does not."""
    plan = a_plan(calibrated)
    spec = replace(plan.spec, sha256s=("d" * 64,))
    plan = replace(plan, spec=spec)

    def of_that_file(manifest: dict[str, object]) -> None:
        manifest["model"] = {"name": "x", "sha256": "d" * 64}

    runs = tmp_path / "runs"
    write_run(runs / "20260101T000000-other", limit=12, styles=("plain",))
    assert "no own run" in gate(plan, "pass@1>0.5", runs).findings[0].evidence
    write_run(runs / "20260102T000000-old", share=0.0, limit=12, styles=("plain",), change_manifest=of_that_file)
    write_run(runs / "20260103T000000-new", share=1.0, limit=12, styles=("plain",), change_manifest=of_that_file)
    (finding,) = gate(plan, "pass@1[lowcost60,plain]>0.5", runs).findings
    assert finding.shown == "PASS"
    assert "run 20260103T000000-new" in finding.evidence
    assert "have no pass@1 there" in gate(plan, "pass@1[lowcost60,cot]>0.5", runs).findings[0].evidence


def test_a_measured_peak_replaces_the_estimate(calibrated: Calibration) -> None:
    """Claim: the peak of an earlier run at one stream is a measurement; that of a batch says nothing of one stream."""
    alone = Measured("r1", 1, 20.0, 1_700_000_000, 10, 100.0, 5.0)
    assert gate(a_plan(calibrated, measured=alone), "ram<1.8G").shown == "PASS"
    assert gate(a_plan(calibrated, measured=replace(alone, width=8)), "ram<8G").shown == "PASS (estimated)"


def test_the_largest_context_is_the_largest(calibrated: Calibration) -> None:
    """Claim: what is named fits within the comfortable nine tenths, 256 tokens more do not; plenty of room gives all of it."""
    shape = shape_of_spec(resolve(MODEL))
    assert shape is not None
    assert shape.context is not None
    room = round(ram(shape, cells=4096, width=1).interval.high / 0.9) + 1
    tokens, is_whole = largest_context(shape, room)
    assert tokens is not None
    assert (tokens >= 4096, is_whole) == (True, False)
    assert _high(shape, tokens) <= 0.9 * room < _high(shape, tokens + 256)
    assert largest_context(shape, 10**12) == (shape.context, True)
    assert largest_context(shape, 10**8) == (0, False)
    assert largest_context(None, room) == (None, False)


def _high(shape: Shape, tokens: int) -> float:
    return ram(shape, cells=tokens, width=1).interval.high


def test_the_best_quantization_is_the_largest_that_fits_and_is_not_slow(calibrated: Calibration) -> None:
    """Claim: of the files of one model the largest comfortable one that is quick enough is named; a slow one only if all are."""
    plan = a_plan(calibrated)
    assert plan.ram is not None
    small, large = (
        replace(plan, spec=ModelSpec(name), ram=replace(plan.ram, weights_bytes=size), verdict="fits", slow=False)
        for name, size in (("small", 10**9), ("large", 2 * 10**9))
    )
    room = 8_000_000_000
    shape = shape_of_spec(plan.spec)
    assert fitting(plan, shape, room, [small, large]).quant == "large"
    assert fitting(plan, shape, room, [small, replace(large, verdict="tight")]).quant == "small"
    assert fitting(plan, shape, room, [small, replace(large, slow=True)]).quant == "small"
    only = fitting(plan, shape, room, [replace(large, slow=True)])
    assert (only.quant, only.slow, only.bytes) == ("large", True, 2 * 10**9)
    assert fitting(plan, shape, room, [replace(large, verdict="too_big")]).quant == ""
