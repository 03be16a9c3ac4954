"""Programs measured through the sandbox: censored, wrong beyond the tests, memory, floor, budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.columns.measure import OTHER_PROBLEM, OUT_OF_BUDGET, Column, record_key, unless_known, unmeasured
from cpu_codegen.measure.blocks import Blocks
from cpu_codegen.measure.memory import peak_of
from cpu_codegen.measure.program import TOO_LITTLE, _remarks, measure_program, not_measured
from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.scout import opener, scout_reference
from cpu_codegen.measure.workload import Rung, open_workload
from cpu_codegen.progress import Silent
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import AssertTask, Problem, ProblemFileTask
from cpu_codegen.store import RunFolder

SOURCE = '''
"""Sums."""

def sums(values: list[int]) -> list[int]:
    """Running sums."""
    total, found = 0, []
    for value in values:
        total += value
        found.append(total)
    return found


def naive(values: list[int]) -> list[int]:
    return [sum(values[: i + 1]) for i in range(len(values))]


CASES = [([],), ([1, 2],)]
SIZES = (100, 1_000, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}


def scaled(n: int, seed: int = 0) -> tuple[list[int]]:
    return (list(range(n)),)
'''
TRIVIAL = """
def sums(n: int) -> int:
    return n


SIZES = (1,)


def scaled(n: int, seed: int = 0) -> tuple[int]:
    return (n,)
"""
PROBLEM = Problem(
    id="own/sums",
    suite="own",
    level="easy",
    entry_point="sums",
    statement="",
    data_hash="1",
    task=ProblemFileTask(SOURCE),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests of this file."""
    with open_sandbox(workers=1) as opened:
        yield opened


def measured(sandbox: Sandbox, code: str, *, budget_s: float = 0.3, source: str = SOURCE) -> dict[str, Any]:
    """The fields of one program."""
    company = Company(None)
    problem = replace(PROBLEM, task=ProblemFileTask(source))
    with open_workload(sandbox, problem) as workload:
        reference = scout_reference(sandbox, workload, company)
        return measure_program(sandbox, reference, code, "sums", company=company, budget_s=budget_s)


def test_a_program_like_the_reference(sandbox: Sandbox) -> None:
    """The reference as an answer has a ratio with an interval around its value, a ladder, and equal memory."""
    fields = measured(sandbox, SOURCE, budget_s=3.0)
    assert fields["status"] in ("measured", "disturbed")
    assert fields["cpu_ratio"]["low"] <= fields["cpu_ratio"]["value"] <= fields["cpu_ratio"]["high"]
    assert fields["cpu_ratio"]["n"] >= 7
    assert [rung["size"] for rung in fields["ladder"]] == [100, 1_000, 4_000]
    assert abs(fields["memory_bytes"] - fields["reference_memory_bytes"]) < 500_000


def test_an_endless_answer_is_censored(sandbox: Sandbox) -> None:
    """One that hangs from some size on is a lower bound, never dropped; smaller sizes keep their times."""
    code = (
        SOURCE
        + "\n_fast = sums\ndef sums(values):\n    while len(values) >= 1_000:\n        pass\n    return _fast(values)\n"
    )
    fields = measured(sandbox, code)
    assert fields["status"] == "censored"
    assert fields["cpu_ratio"]["value"] == fields["limit_s"] / fields["reference_cpu_s"]
    assert fields["cpu_ratio"]["high"] is None
    assert fields["censored_size"] == 1_000


def test_an_answer_that_shirks_large_inputs_is_not_measured(sandbox: Sandbox) -> None:
    """Fast because wrong where the tests do not look: no figures, and the reason."""
    code = SOURCE + "\n_right = sums\ndef sums(values):\n    return _right(values) if len(values) < 50 else []\n"
    fields = measured(sandbox, code)
    assert fields["status"] == "not_measured"
    assert fields["reason"] == "wrong at size 100, beyond the tests"


def test_an_answer_that_fails_on_large_inputs(sandbox: Sandbox) -> None:
    """An exception at a size is named with it."""
    code = SOURCE + "\n_right = sums\ndef sums(values):\n    return _right(values) if len(values) < 500 else 1 / 0\n"
    fields = measured(sandbox, code)
    assert fields["status"] == "not_measured"
    assert fields["reason"].startswith("error at size 1000")


def test_a_reference_under_the_floor_is_counted_apart(sandbox: Sandbox) -> None:
    """A call of a microsecond gives no ratio."""
    source = TRIVIAL
    code = source
    with open_workload(sandbox, replace(PROBLEM, task=ProblemFileTask(source))) as workload:
        reference = scout_reference(sandbox, workload, Company(None))
        reference.trials[-1] = replace(reference.trials[-1], cpu_s=1e-6)
        fields = measure_program(sandbox, reference, code, "sums", company=Company(None), budget_s=0.2)
    assert fields["status"] == "below_floor"
    assert fields["cpu_ratio"] is None


HEAVY = """
def sums(n):
    total = 0
    for value in range(n):
        total += value
    return total


CASES = [(3,)]
SIZES = (10_000, 50_000, 200_000)


def scaled(n, seed=0):
    return (n,)
"""
MEMO = """
_known = {}
_right = sums

def sums(n):
    if n not in _known:
        _known[n] = _right(n)
    return _known[n]
"""


def test_an_answer_that_keeps_results_is_compared_by_first_calls(sandbox: Sandbox) -> None:
    """A cache at module level makes no program faster: its first call is what counts, and the record says so."""
    fields = measured(sandbox, HEAVY + MEMO, budget_s=4.0, source=HEAVY)
    assert fields["status"] in ("measured", "disturbed")
    assert fields["reason"].startswith("it keeps results between calls: first calls are compared")
    assert 0.7 < fields["cpu_ratio"]["value"] < 1.5
    assert fields["growth"] is None


def test_a_cache_over_quick_calls_gives_no_ratio(sandbox: Sandbox) -> None:
    """Where one call of the reference is too quick to be timed alone, a program with a cache has no figure."""
    quick = HEAVY.replace("(10_000, 50_000, 200_000)", "(1_000, 2_000, 4_000)")
    slower = quick.replace("    return total", "    for _ in range(100 * n):\n        pass\n    return total")
    fields = measured(sandbox, slower + MEMO, budget_s=4.0, source=quick)
    assert fields["status"] == "not_measured"
    assert fields["reason"].startswith("it keeps results between calls, and one call")


@pytest.mark.parametrize("megabytes", [1, 8, 50])
def test_peak_memory_of_a_known_allocation(sandbox: Sandbox, megabytes: int) -> None:
    """Growth is within 0.5 MB of what is allocated and freed again before the call ends."""
    code = "def f(n):\n    block = bytearray(n)\n    del block\n    return 0\n"
    rung = Rung(0, 1, [[megabytes * 1_000_000]], 10)
    peak = peak_of(opener(sandbox, code, "f", Company(None), 5.0), [Rung(0, 1, [[0]], 10), rung])
    assert peak is not None
    assert abs(peak.growth_bytes - megabytes * 1_000_000) < 500_000
    assert peak.rss_bytes > peak.growth_bytes


def result(code: str, *, generation: str = "g", problem_id: str = "own/sums", data_hash: str = "1") -> dict[str, Any]:
    """A passed result."""
    return {
        "key": f"r-{generation}",
        "generation": generation,
        "problem_id": problem_id,
        "suite": "own",
        "level": "easy",
        "style": "plain",
        "index": 0,
        "code": code,
        "data_hash": data_hash,
    }


def test_equal_programs_are_measured_once(sandbox: Sandbox) -> None:
    """Two generations with one text have a record each, with the same figures; every record has the same fields."""
    column = Column(sandbox, {"own/sums": PROBLEM}, "here")
    one, two = column.records([result(SOURCE), result(SOURCE, generation="h")], 0.5, Silent())
    assert one["cpu_ratio"] == two["cpu_ratio"]
    assert (one["generation"], two["generation"]) == ("g", "h")
    assert one["radon"]["sloc"] > one["reference_radon"]["sloc"]
    assert one["static"]["unknown_imports"] == []


def test_without_budget_or_inputs_there_is_a_reason(sandbox: Sandbox) -> None:
    """A used-up budget, a suite without inputs, and a problem that changed each leave a record that says so."""
    asserts = replace(PROBLEM, id="own/asserts", task=AssertTask("assert True"))
    column = Column(sandbox, {"own/sums": PROBLEM, "own/asserts": asserts}, "here")
    (broke,) = column.records([result(SOURCE)], 0.0, Silent())
    (no_inputs,) = column.records([result(SOURCE, problem_id="own/asserts")], 0.5, Silent())
    (changed,) = column.records([result(SOURCE, data_hash="2")], 0.5, Silent())
    assert [r["status"] for r in (broke, no_inputs, changed)] == ["not_measured"] * 3
    assert broke["reason"] == OUT_OF_BUDGET
    assert no_inputs["reason"] == "the suite's tests are code, not inputs"
    assert changed["reason"] == OTHER_PROBLEM


def test_what_the_budget_did_not_reach_is_measured_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Used up before its turn: at once. Too small a share: once it is half as large again. What has a reason of its own: never."""
    monkeypatch.setattr("cpu_codegen.columns.measure.machine_now", lambda: "here")
    late, little, other = (result(f"# {name}", generation=name) for name in ("late", "little", "other"))
    told = {
        "late": not_measured(OUT_OF_BUDGET),
        "little": not_measured(f"{TOO_LITTLE}: 2 blocks") | {"share_s": 1.0},
        "other": not_measured("wrong at size 9, beyond the tests"),
    }
    with RunFolder(tmp_path / "run", writable=True) as folder:
        for one in (late, little, other):
            folder.append("results", {**one, "outcome": "passed"})
            name = one["generation"]
            folder.append("efficiency", {"key": record_key(one, "here"), "generation": name, **told[name]})

        def wanted(**options: Any) -> list[str]:
            return [one["generation"] for one in unmeasured(folder, **options)]

        assert wanted(budget_s=2.0) == ["late"]
        assert wanted(budget_s=3.0) == ["late", "little"]
        assert wanted(retry=True) == ["late", "little", "other"]


def test_no_time_never_takes_the_place_of_a_figure(tmp_path: Path) -> None:
    """What was measured in company is tried again; when there is no time for that, the figure that there is stays."""
    ratio = {"value": 2.0, "low": 1.0, "high": 3.0, "n": 7}
    late, hurried = not_measured(OUT_OF_BUDGET), not_measured(f"{TOO_LITTLE}: 3 blocks")
    with RunFolder(tmp_path, writable=True) as folder:
        folder.append("efficiency", {"key": "noisy", "status": "disturbed", "cpu_ratio": ratio})
        folder.append("efficiency", {"key": "none", **late})
        tried = [{"key": key, **fields} for key in ("noisy", "none", "new") for fields in (late, hurried)]
        tried.append({"key": "noisy", **not_measured("wrong at size 9, beyond the tests")})
        kept = [(record["key"], record["reason"][:5]) for record in unless_known(folder, iter(tried))]
    again = [(key, reason) for key in ("none", "new") for reason in ("the e", "too l")]
    assert kept == [*again, ("noisy", "wrong")]


def test_too_little_time_keeps_the_share(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a later command knows whether it would have more; what was measured keeps none."""
    column = Column(sandbox, {"own/sums": PROBLEM}, "here")
    hurried = not_measured(f"{TOO_LITTLE}: 2 blocks")
    monkeypatch.setattr("cpu_codegen.columns.measure.measure_program", lambda *_, **__: dict(hurried))
    (line,) = column.records([result(SOURCE)], 0.5, Silent())
    assert 0 < line["share_s"] <= 0.5
    hurried["reason"] = "wrong at size 9, beyond the tests"
    assert next(column.records([result(SOURCE)], 0.5, Silent()))["share_s"] is None


def test_work_around_the_windows_is_remarked() -> None:
    """Claim: far more CPU time outside the calls than the reference needs for the same arguments is said beside the ratio."""
    hiding = Blocks(outside_cpu_s=[0.2, 0.21], reference_outside_cpu_s=[0.001, 0.001], cpu_s=[0.002, 0.002])
    assert "it works between its calls: 205 ms" in _remarks(hiding)
    for outside_s, reference_s, cpu_s in ((0.004, 0.001, 0.002), (0.2, 0.1, 0.002), (0.2, 0.001, 3.0)):
        plain = Blocks(outside_cpu_s=[outside_s], reference_outside_cpu_s=[reference_s], cpu_s=[cpu_s])
        assert _remarks(plain) == ""
