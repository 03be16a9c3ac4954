"""How well the measurer measures, against what it must reach; run alone on a quiet machine.

    python scripts/bench_efficiency.py [--problems 12] [--trials 5] [--column] [-o json]

Prints: the spread of the ratio for identical code (must: within ±3 % for calls over 1 ms), how often a program that is 1.2 times
slower is found within 2 s (must: 80 %), peak memory of known allocations (must: within 0.5 MB), and with --column the whole
efficiency column of the suite's references as answers (must: at most 4 minutes). Exit 0 whatever they are: a bench is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

from cpu_codegen.columns.measure import Column
from cpu_codegen.measure.blocks import compare
from cpu_codegen.measure.memory import peak_of
from cpu_codegen.measure.program import affordable
from cpu_codegen.measure.quiet import Company, quiet_core
from cpu_codegen.measure.scout import Reference, climb, opener, scout_reference
from cpu_codegen.measure.timing import Timer
from cpu_codegen.measure.workload import Rung, open_workload
from cpu_codegen.progress import Silent
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import Problem, Ratio
from cpu_codegen.stats import median, wilson
from cpu_codegen.suites.load import load_suite

BUDGET_S = 2.0
COLUMN_BUDGET_S = 240.0
SLOWER = """

_once = {entry_point}


def {entry_point}(*args):
    result = _once(*args)
    for _ in range({rounds}):
        pass
    return result
"""


def main() -> None:
    """Runs the benches and prints their figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--problems", type=int, default=12)
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--column", action="store_true")
    parser.add_argument("-o", default="text", choices=("text", "json"))
    asked = parser.parse_args()
    problems = load_suite("lowcost60")
    figures: dict[str, Any] = {"load_average": os.getloadavg()[0]}
    with open_sandbox(workers=1) as sandbox:
        company = Company(quiet_core())
        figures |= ratios(sandbox, problems[:: max(1, len(problems) // asked.problems)], company, asked.trials)
        figures |= memory(sandbox, company)
        if asked.column:
            figures |= column(sandbox, problems)
    print(json.dumps(figures, indent=1) if asked.o == "json" else "\n".join(f"{k:<36} {v}" for k, v in figures.items()))


def ratios(sandbox: Sandbox, problems: list[Problem], company: Company, trials: int) -> dict[str, Any]:
    """Identical code, and code of about 1.2 times the work, against the reference."""
    same: list[Ratio] = []
    slower: list[Ratio] = []
    seconds: list[float] = []
    rounds_per_s = loop_speed(sandbox, company)
    for problem in problems:
        with open_workload(sandbox, problem) as workload:
            reference = scout_reference(sandbox, workload, company)
            top = affordable(reference.trials, reference.trials, BUDGET_S) or 0
            extra = round(0.2 * reference.trials[top].cpu_s * rounds_per_s)
            code = workload.source + SLOWER.format(entry_point=workload.entry_point, rounds=extra)
            for _ in range(trials):
                started = time.perf_counter()
                same.append(against(sandbox, reference, workload.source, company, top))
                seconds.append(time.perf_counter() - started)
                slower.append(against(sandbox, reference, code, company, top))
    off = sorted(abs(ratio.value - 1) for ratio in same)
    found = sum(ratio.verdict == "slower" for ratio in slower)
    interval = wilson(found, len(slower))
    return {
        "comparisons": len(same),
        "same_code_within_3_percent": sum(value <= 0.03 for value in off) / len(off),
        "same_code_95th_percentile_off": off[int(0.95 * (len(off) - 1))],
        "same_code_called_different": sum(ratio.verdict != "no difference" for ratio in same) / len(same),
        "slower_1.2_found": found / len(slower),
        "slower_1.2_found_interval": [round(interval.low, 3), round(interval.high, 3)],
        "slower_1.2_median_ratio": median([ratio.value for ratio in slower]),
        "seconds_per_comparison_median": median(seconds),
    }


def loop_speed(sandbox: Sandbox, company: Company) -> float:
    """Rounds of an empty loop per second of CPU time."""
    rounds = 500_000
    code = "def f(n):\n    for _ in range(n):\n        pass\n"
    with opener(sandbox, code, "f", company, 5.0)() as session:
        return rounds / median([session.call([[rounds]]).cpu_s for _ in range(9)])


def against(sandbox: Sandbox, reference: Reference, code: str, company: Company, top: int) -> Ratio:
    """The ratio of a program to the reference at a size, within 2 s."""
    workload = reference.workload
    timer = Timer(opener(sandbox, code, workload.entry_point, company, 5.0), company)
    started = time.perf_counter()
    _, failure = climb(timer, workload.rungs[: top + 1])
    if failure is not None:
        raise failure
    left_s = BUDGET_S - (time.perf_counter() - started)
    return compare(timer, reference.timer, workload.rungs[: top + 1], budget_s=left_s).cpu_ratio


def memory(sandbox: Sandbox, company: Company) -> dict[str, Any]:
    """The largest error of known allocations between 1 and 200 MB."""
    code = "def f(n):\n    block = bytearray(n)\n    del block\n    return 0\n"
    small, errors = Rung(0, 1, [[0]], 10), list[float]()
    for megabytes in (1, 2, 5, 10, 50, 200):
        rung = Rung(1, 2, [[megabytes * 1_000_000]], 10)
        peak = peak_of(opener(sandbox, code, "f", company, 5.0), [small, rung])
        if peak is not None:
            errors.append(abs(peak.growth_bytes / 1e6 - megabytes))
    return {"memory_largest_error_mb": max(errors, default=None)}


def column(sandbox: Sandbox, problems: list[Problem]) -> dict[str, Any]:
    """The efficiency column with every reference as the answer."""
    results = [
        {
            "key": problem.id,
            "generation": problem.id,
            "problem_id": problem.id,
            "suite": problem.suite,
            "level": problem.level,
            "style": "plain",
            "index": 0,
            "code": getattr(problem.task, "source", ""),
            "data_hash": problem.data_hash,
        }
        for problem in problems
    ]
    started = time.perf_counter()
    by_id = {problem.id: problem for problem in problems}
    records = list(Column(sandbox, by_id, "bench").records(results, COLUMN_BUDGET_S, Silent()))
    statuses: dict[str, int] = {}
    for record in records:
        statuses[record["status"]] = statuses.get(record["status"], 0) + 1
    return {"column_s": time.perf_counter() - started, "column_programs": len(records), "column_statuses": statuses}


if __name__ == "__main__":
    main()
