"""A run's efficiency per suite and style: figures and tables from made-up measurements."""

from __future__ import annotations

from typing import Any

from cpu_codegen.measure.findings import by_name, has_finding
from cpu_codegen.measure.records import efficiency_records, growth_counts
from cpu_codegen.measure.tables import efficiency_tables

RADON = {
    "complexity": 4.0,
    "maintainability": 60.0,
    "halstead_volume": 100.0,
    "halstead_difficulty": 3.0,
    "halstead_effort": 300.0,
    "sloc": 9,
}
STATIC: dict[str, Any] = {
    "third_party_imports": [],
    "unknown_imports": ["flerovium"],
    "dangerous_calls": {"eval": 2},
    "unused_imports": [],
    "bare_excepts": 1,
    "mutable_defaults": 0,
    "ruff": {"S307": 1, "B006": 2},
}


def growth(low: float, high: float) -> dict[str, Any]:
    """An exponent and its interval."""
    return {"exponent": (low + high) / 2, "low": low, "high": high, "sizes": [10, 100], "like": ["n"]}


def measured(problem: int, **fields: Any) -> dict[str, Any]:
    """A line of efficiency.jsonl as far as tables read it."""
    return {
        "problem_id": f"own/{problem}",
        "status": "measured",
        "cpu_ratio": {"value": 2.0, "low": 1.9, "high": 2.1, "n": 7},
        "growth": growth(1.9, 2.1),
        "reference_growth": growth(0.9, 1.1),
        "memory_growth": None,
        "reference_memory_growth": None,
        "radon": RADON,
        "reference_radon": {**RADON, "complexity": 2.0},
        "static": STATIC,
        "unreached": {"lines": [3], "tests": 4, "of": 4},
        "inputs": None,
        "ladder": [{"size": 1, "cpu_s": 1.0, "reference_cpu_s": 1.0}],
        "reference_ladder_s": [1.0],
        **fields,
    }


def samples(count: int, *, of_each: int = 1, **fields: Any) -> list[dict[str, Any]]:
    """Passed samples with such measurements."""
    return [
        {
            "problem_id": f"own/{problem}",
            "suite": "own",
            "style": "plain",
            "outcome": "passed",
            "efficiency": measured(problem, **fields),
        }
        for problem in range(count)
        for _ in range(of_each)
    ]


def test_findings_know_what_was_not_looked_for() -> None:
    """bandit's rules apart from ruff's others; without ruff, tracer or parser there is no answer, not a no."""
    record = measured(0)
    assert has_finding(record, "bandit") is True
    assert has_finding(record, "ruff") is True
    assert has_finding({**record, "static": {**STATIC, "ruff": {"S307": 1}}}, "ruff") is False
    assert has_finding({**record, "static": {**STATIC, "ruff": None}}, "bandit") is None
    assert has_finding({**record, "unreached": None}, "unreached_lines") is None
    assert has_finding({**record, "static": None}, "bare_excepts") is None
    assert has_finding(record, "unused_imports") is False


def test_static_counts() -> None:
    """Programs per finding, null where nobody looked; the rules and names by how many programs have them."""
    found = efficiency_records(samples(3, unreached=None))[0]["static"]
    assert found["programs"] == found["unknown_imports"] == found["bandit"] == 3
    assert found["unreached_lines"] is None
    assert found["mutable_defaults"] == 0
    assert found["by_rule"] == {"B006": 3, "S307": 3}
    assert by_name([measured(0), measured(1)], "unknown_imports") == {"flerovium": 2}


def test_growth_is_compared_by_intervals() -> None:
    """Above the reference's interval is faster growth, overlapping is no difference; nothing known is null."""
    records = [measured(0), measured(1, growth=growth(1.0, 1.3)), measured(2, growth=None)]
    found = growth_counts(records, "growth")
    assert found is not None
    assert (found["programs"], found["faster"], found["slower"], found["no_difference"]) == (2, 1, 0, 1)
    assert growth_counts(records, "memory_growth") is None


def test_eff_at_several_k() -> None:
    """Ten samples a problem give eff@1 and eff@10, a single sample gives eff@1 alone."""
    assert set(efficiency_records(samples(2, of_each=10))[0]["eff_at"]) == {1, 10}
    assert set(efficiency_records(samples(2))[0]["eff_at"]) == {1}
    assert set(efficiency_records(samples(2, of_each=3), ks=(1, 2))[0]["eff_at"]) == {1, 2}


def test_wrong_answers_count_in_beyond_though_nobody_measured_them() -> None:
    """One sample a problem: six as fast as the reference and six wrong are a half, not all; without any naive end, nothing."""
    ends = {"cpu_s": 0.01, "reference_cpu_s": 0.01, "naive_cpu_s": 1.0}
    wrong = [
        {**one, "problem_id": f"w/{at}", "outcome": "wrong", "efficiency": None} for at, one in enumerate(samples(6))
    ]
    found = efficiency_records([*samples(6, **ends), *wrong])[0]
    assert found["beyond"].value == 0.5
    assert found["eff_at"][1].value == 0.5
    assert efficiency_records([*samples(6), *wrong])[0]["beyond"] is None


def test_inputs_are_counted_once_per_problem() -> None:
    """Two answers to one problem share its inputs."""
    counts = {"total": 100, "tried": 60, "under_floor": 30}
    assert efficiency_records(samples(2, of_each=2, inputs=counts))[0]["inputs"] == {
        "total": 200,
        "tried": 120,
        "under_floor": 60,
    }


def test_tables() -> None:
    """Ratio, growth, complexity and findings are there with the reference's beside; tables with nothing to say are left out."""
    tables = {table.title.split(" (")[0]: table for table in efficiency_tables(samples(6))}
    against = tables["Against the reference"]
    assert against.rows[0][:6] == ("own", "plain", 6, "6 measured", "2.00× [2.00, 2.00]", "slower")
    assert tables["Growth with size, against the reference's"].rows[0][2:] == (
        "CPU time",
        6,
        "n^2.00",
        "n^1.00",
        6,
        0,
        0,
    )
    assert "EffiBench's metrics" not in tables
    complexity = next(table for title, table in tables.items() if title.startswith("Complexity"))
    assert complexity.rows[0][2] == "4 v 2"
    texts = next(table for title, table in tables.items() if title.startswith("Programs"))
    assert dict(zip(texts.columns, texts.rows[0], strict=True))["unreached lines"] == 6
