"""Third column: every passed program without a current measurement → one record of efficiency.jsonl.

The budget is dealt evenly: each program gets an equal share of what is left, so that a quick one leaves its rest to the others.
What it did not suffice for is measured by a later command: at once where no time was left at all; where a share was too small, as
soon as the next one would be half as large again. Equal programs (often the same answer in two styles) are measured once. Not
covered: how one program is measured (measure/).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import HarnessError
from cpu_codegen.inputs import RunInputs
from cpu_codegen.measure.metrics import has_ratio
from cpu_codegen.measure.program import TOO_LITTLE, measure_program, not_measured
from cpu_codegen.measure.quiet import Company, quiet_core
from cpu_codegen.measure.scout import Reference, scout_reference
from cpu_codegen.measure.static import Reader
from cpu_codegen.measure.unreached import SECONDS, unreached
from cpu_codegen.measure.workload import NoWorkload, Workload, open_workload
from cpu_codegen.progress import Progress
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import Limits, Outcome, Problem, ProblemFileTask
from cpu_codegen.session import Session
from cpu_codegen.store import RunFolder, digest, plain

MEASURE_VERSION = 1
OUT_OF_BUDGET = "the efficiency budget was used up"
_TRACED_SHARE = 0.2  # of a program's share of the budget
ENOUGH_MORE = 1.5
"""How much larger a share has to be before what it was too small for is tried once more."""

OTHER_PROBLEM = "the problem has changed since the answer was judged"

_UNMEASURED: dict[str, Any] = dict.fromkeys(
    """size cpu_ratio wall_ratio cpu_s reference_cpu_s wall_s reference_wall_s cpu_utilisation memory_bytes
    reference_memory_bytes rss_bytes reference_rss_bytes rss_byte_seconds reference_rss_byte_seconds growth reference_growth
    memory_growth reference_memory_growth
    share_s naive_cpu_s ladder reference_ladder_s retired_instructions reference_retired_instructions inputs unreached""".split()
)


def measure(session: Session, inputs: RunInputs, progress: Progress) -> Iterator[dict[str, Any]]:
    """Records for all passed results that have no current one."""
    config = session.config
    left = unmeasured(session.folder, budget_s=config.efficiency_budget_s)
    if config.efficiency_budget_s <= 0:
        progress.begin("measure", 0)
        progress.end("not measured: --efficiency-budget 0")
        return
    problems = {problem.id: problem for problem in inputs.problems}
    yield from measure_results(
        session.folder,
        left,
        problems,
        budget_s=config.efficiency_budget_s,
        allow_weak=config.allow_weak_isolation,
        progress=progress,
    )


def measure_results(
    folder: RunFolder,
    results: Sequence[dict[str, Any]],
    problems: dict[str, Problem],
    *,
    budget_s: float,
    allow_weak: bool,
    progress: Progress,
) -> Iterator[dict[str, Any]]:
    """Records for these results, within the budget."""
    passed = len(passed_results(folder))
    progress.begin("measure", passed, passed - len(results))
    if not results:
        progress.end("nothing to do")
        return
    with open_sandbox(workers=1, allow_weak=allow_weak) as sandbox:
        column = Column(sandbox, problems, machine_now())
        yield from unless_known(folder, column.records(results, budget_s, progress))


def unless_known(folder: RunFolder, records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Without those that would put "no time" in a figure's place: later lines win, and one taken in company is better than none."""
    known = {record["key"]: has_ratio(record) for record in folder.read("efficiency")}
    for record in records:
        if not (known.get(record["key"]) and (_was_late(record) or _was_hurried(record))):
            yield record


def machine_now() -> str:
    """The fingerprint of this machine: a measurement holds for one machine."""
    from cpu_codegen.machine import fingerprint

    return fingerprint().id


def passed_results(folder: RunFolder) -> list[dict[str, Any]]:
    """The current result of every generation that passed, in the order of the file."""
    latest = {result["generation"]: result for result in folder.read("results")}
    return [result for result in latest.values() if result["outcome"] == Outcome.PASSED]


def record_key(result: dict[str, Any], machine: str) -> str:
    """A measurement's key: the result's, the machine's, and how we measure."""
    return digest("efficiency", result["key"], machine, MEASURE_VERSION)


def unmeasured(folder: RunFolder, *, retry: bool = False, budget_s: float = 0.0) -> list[dict[str, Any]]:
    """The passed results that lack a measurement: without a line of their own, or whose budget was used up before their turn.

    With `retry` also those whose line says not measured or disturbed; else those whose share was too small and that would get a
    good deal more of `budget_s`.
    """
    machine = machine_now()
    latest = {record["generation"]: record for record in folder.read("efficiency")}
    again = ("not_measured", "disturbed") if retry else ()
    missing, hurried = [], []
    for result in passed_results(folder):
        line = latest.get(result["generation"])
        if line is None or line["key"] != record_key(result, machine) or line["status"] in again or _was_late(line):
            missing.append(result)
        elif _was_hurried(line):
            hurried.append((result, float(line.get("share_s") or 0.0)))
    share_s = budget_s / max(1, len({(r["problem_id"], r["code"]) for r in [*missing, *(r for r, _ in hurried)]}))
    return [*missing, *(result for result, before_s in hurried if share_s >= ENOUGH_MORE * before_s and share_s > 0)]


def _was_hurried(line: dict[str, Any]) -> bool:
    """Its share of the budget was too small."""
    return line["status"] == "not_measured" and str(line.get("reason")).startswith(TOO_LITTLE)


def _was_late(line: dict[str, Any]) -> bool:
    """Its turn came when nothing was left of the budget."""
    return line["status"] == "not_measured" and line.get("reason") == OUT_OF_BUDGET


@dataclass(slots=True)
class Column:
    """What all records of one session share."""

    sandbox: Sandbox
    problems: dict[str, Problem]
    machine: str

    def records(
        self, results: Sequence[dict[str, Any]], budget_s: float, progress: Progress
    ) -> Iterator[dict[str, Any]]:
        """One record per result, problem by problem, within the budget."""
        company = Company(quiet_core())
        by_problem: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            if result["problem_id"] in self.problems:
                by_problem.setdefault(result["problem_id"], []).append(result)
        shares = Shares(budget_s, len({(r["problem_id"], r["code"]) for rs in by_problem.values() for r in rs}))
        tally: Counter[str] = Counter()
        with Reader() as reader:
            for problem_id, of_problem in by_problem.items():
                for record in self._of_problem(self.problems[problem_id], of_problem, shares, company, reader):
                    tally[record["status"]] += 1
                    progress.advance(_note(tally))
                    yield record
        progress.end(_note(tally))

    def _of_problem(
        self,
        problem: Problem,
        results: list[dict[str, Any]],
        shares: Shares,
        company: Company,
        reader: Reader,
    ) -> Iterator[dict[str, Any]]:
        only_reference = isinstance(problem.task, ProblemFileTask)
        source = getattr(problem.task, "source", None) or getattr(problem.task, "canonical", "")
        read = reader.read(source, problem.entry_point, only_reference=only_reference) if source else {}
        measured: dict[str, dict[str, Any]] = {}
        with _Referee(self.sandbox, problem, company) as referee:
            for result in results:
                if result["data_hash"] != problem.data_hash:
                    yield self._record(result, not_measured(OTHER_PROBLEM), None)
                    continue
                code = result["code"]
                if code not in measured:
                    share_s = shares.next()
                    fields = referee.measure(code, share_s)
                    if str(fields.get("reason")).startswith(TOO_LITTLE):
                        fields["share_s"] = share_s
                    measured[code] = {**fields, **reader.read(code, problem.entry_point)}
                yield self._record(result, measured[code], read.get("radon"))

    def _record(
        self, result: dict[str, Any], fields: dict[str, Any], reference_radon: dict[str, Any] | None
    ) -> dict[str, Any]:
        """One line of efficiency.jsonl."""
        return {
            "key": record_key(result, self.machine),
            "result": result["key"],
            "generation": result["generation"],
            **{name: result.get(name) for name in ("problem_id", "suite", "level", "style", "index")},
            "machine": self.machine,
            **_UNMEASURED,
            **fields,
            "reference_radon": reference_radon,
        }


class Shares:
    """Deals out a budget of seconds: everyone who asks gets an equal share of what is left."""

    def __init__(self, budget_s: float, programs: int) -> None:
        self._ends = time.monotonic() + budget_s
        self._left = programs

    def next(self) -> float:
        """The next program's share; 0 or less when the budget is used up."""
        share = (self._ends - time.monotonic()) / max(self._left, 1)
        self._left -= 1
        return share


class _Referee:
    """The reference of one problem, scouted when its first program is measured. A context manager."""

    def __init__(self, sandbox: Sandbox, problem: Problem, company: Company) -> None:
        self._sandbox, self._problem, self._company = sandbox, problem, company
        self._opened = ExitStack()
        self._reference: Reference | None = None
        self._why_not = ""
        self._tests: list[Any] | None = None

    def __enter__(self) -> _Referee:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _prepare(self, share_s: float) -> None:
        try:
            workload = self._opened.enter_context(open_workload(self._sandbox, self._problem, share_s=share_s))
            self._reference = scout_reference(self._sandbox, workload, self._company)
        except (NoWorkload, HarnessError) as error:
            self._why_not = str(error)

    def measure(self, code: str, budget_s: float) -> dict[str, Any]:
        """The measured fields of one program."""
        if budget_s <= 0:
            return not_measured(OUT_OF_BUDGET)
        if self._reference is None and not self._why_not:
            self._prepare(budget_s)
        if self._reference is None:
            return not_measured(self._why_not)
        fields: dict[str, Any] = {"inputs": plain(self._reference.workload.inputs)}
        try:
            fields |= measure_program(
                self._sandbox,
                self._reference,
                code,
                self._problem.entry_point,
                company=self._company,
                budget_s=budget_s,
            )
            fields["unreached"] = self._unreached(
                code, self._reference.workload, min(SECONDS, _TRACED_SHARE * budget_s)
            )
        except HarnessError as error:
            fields |= not_measured(f"harness: {error}")
        return fields

    def _unreached(self, code: str, workload: Workload, budget_s: float) -> dict[str, Any] | None:
        """Lines that no test executes, for as many tests as the time allows."""
        if self._tests is None:
            self._tests = workload.tests()
        limits = Limits(wall_s=8 * SECONDS, call_s=SECONDS, cpu_s=SECONDS)
        entry_point = self._problem.entry_point
        found = unreached(
            lambda text: self._sandbox.session(text, entry_point, limits=limits, core=self._company.core),
            code,
            entry_point,
            self._tests,
            budget_s=budget_s,
        )
        return None if found is None else {**plain(found), "of": len(self._tests)}


def _note(tally: Counter[str]) -> str:
    return "  ".join(f"{count} {status.replace('_', ' ')}" for status, count in tally.most_common())
