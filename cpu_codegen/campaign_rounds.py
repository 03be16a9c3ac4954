"""Several models under a deadline or in a race: rounds of equal blocks, so that at any end all have answered the same problems.

A round: every model in turn loads, generates the block, unloads, and its answers are judged; then the next block begins, at most as
large as all before it together. A block is chosen so that all models are expected to finish it in time, by the seconds that their
rounds have taken so far; where one runs out of time all the same, those after it get its smaller block. Efficiency comes last.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from cpu_codegen import pipeline
from cpu_codegen.campaign import Member, Page, going_on, note
from cpu_codegen.columns.in_time import PAGE_S, SANDBOX_START_S, left_over, scoring_each_s, status
from cpu_codegen.config import Campaign
from cpu_codegen.deadline import Deadline
from cpu_codegen.group import Group
from cpu_codegen.inputs import RunInputs, Sample
from cpu_codegen.progress import Progress
from cpu_codegen.race import Race
from cpu_codegen.report.cost import one_load_s
from cpu_codegen.schema import Outcome
from cpu_codegen.session import Session, open_run
from cpu_codegen.store import now_utc

FIRST_BLOCK = 6
"""Problems per suite in the first round: two of each level of lowcost60; enough to learn how long a problem takes."""

TRUST = 0.9
"""The part of the time left that a new block may be expected to take."""


@dataclass(slots=True)
class Runner:
    """A member at work. `fixed_s`: seconds of a round that do not depend on the block; `each_s`: per problem of each suite."""

    member: Member
    session: Session
    fixed_s: float = 0.0
    each_s: float = 0.0

    @property
    def inputs(self) -> RunInputs:
        """All of the run."""
        return self.member.inputs

    def needs_s(self, problems: int) -> float:
        """Expected seconds for a block."""
        return self.fixed_s + self.each_s * problems

    def learn(self, took_s: float, answered: int) -> None:
        """From a round that took so long for so many new answers; loading and the sandbox's start apart."""
        if answered:
            self.fixed_s = one_load_s(self.session.manifest) + SANDBOX_START_S
            self.each_s = max(took_s - self.fixed_s, 0.02 * took_s) / answered * self._samples_each()

    def recall(self) -> None:
        """The same from what an earlier command has stored."""
        costs = [record.get("cost_s") or 0.0 for record in self.session.folder.read("generations")]
        if costs:
            self.fixed_s = one_load_s(self.session.manifest) + SANDBOX_START_S
            self.each_s = (math.fsum(costs) / len(costs) + scoring_each_s(self.session.manifest)) * self._samples_each()

    def _samples_each(self) -> float:
        """Samples of one problem of each suite: what a block grows by."""
        inputs = self.inputs
        return len(inputs.samples) / max(1, len(inputs.problems)) * max(1, len(inputs.order))

    def tail_s(self) -> float:
        """What one answer of full length takes: until so long before the end samples may begin."""
        steps = [
            record["decode_s"] / record["completion_tokens"]
            for record in self.session.folder.read("generations")
            if record.get("completion_tokens") and not record.get("reused_from")
        ]
        longest = self.session.config.settings.max_tokens + self.inputs.thinking.most_tokens
        return longest * median(steps) if steps else 0.0


def block(inputs: RunInputs, n: int) -> RunInputs:
    """The same run over the first `n` problems of each suite."""
    seen: dict[str, int] = {}
    problems = []
    for problem in inputs.problems:
        seen[problem.suite] = seen.get(problem.suite, 0) + 1
        if seen[problem.suite] <= n:
            problems.append(problem)
    kept = {(problem.suite, problem.id) for problem in problems}
    samples = tuple(s for s in inputs.samples if (s.problem.suite, s.problem.id) in kept)
    return replace(inputs, problems=tuple(problems), samples=samples)


def longest(inputs: RunInputs) -> int:
    """Problems of the largest suite."""
    counts: dict[str, int] = {}
    for problem in inputs.problems:
        counts[problem.suite] = counts.get(problem.suite, 0) + 1
    return max(counts.values(), default=0)


def run_rounds(
    group: Group,
    members: Sequence[Member],
    campaign: Campaign,
    *,
    progress: Progress,
    argv: Sequence[str],
    ends: Deadline | None,
    page: Page,
) -> None:
    """All rounds, then the efficiency of what passed; leaves the status of every run and member."""
    with ExitStack() as stack:
        runners = []
        for member in members:
            opened = open_run(member.config, member.inputs, argv=argv, progress=progress, deadline=ends)
            session = stack.enter_context(opened)
            stack.enter_context(session.kept(wanted=len(member.inputs.samples)))
            runners.append(Runner(member, session))
            runners[-1].recall()
            note(group, member, "running")
        rounds = Rounds(group, runners, campaign, progress, ends, page)
        rounds.go()
        rounds.gauge()
        rounds.end()
    if ends is None:
        page(group.path)  # under a deadline the command's last page is the next thing anyway


class Rounds:
    """The rounds of one command over the group's runners."""

    def __init__(
        self,
        group: Group,
        runners: Sequence[Runner],
        campaign: Campaign,
        progress: Progress,
        ends: Deadline | None,
        page: Page,
    ) -> None:
        self._group, self._all, self._campaign = group, list(runners), campaign
        self._progress, self._ends, self._page = progress, ends, page
        self._kept_for_page_s = 0.0
        self._race = _race(group, runners, campaign) if campaign.race else None

    def running(self) -> list[Runner]:
        """Those that neither failed nor were stopped."""
        stopped = {stop.model for stop in self._race.stops} if self._race is not None else set()
        return [r for r in self._all if r.member.error is None and r.member.name not in stopped]

    def go(self) -> None:
        """Round after round until all is answered, the time is up, or one model is left of the race and done."""
        n, most = self._done_before(), None
        while (wanted := self._next(n, most)) > n:
            all_have = self._round(n, wanted)
            if all_have > n:
                self._close_round(all_have)
                n, most = all_have, None
            elif wanted == n + 1:
                break
            else:
                most = n + 1  # too much for the time that was left: one problem more, or none

    def _done_before(self) -> int:
        """The block that all runners have, by what is stored: an earlier command may have been killed anywhere."""
        return min((reached(r.session, r.inputs, longest(r.inputs)) for r in self.running()), default=0)

    # ── the size of a round ──────────────────────────────────────────────────────────────────────────────────────────

    def _next(self, n: int, most: int | None) -> int:
        """Up to which problem the next round goes: at most twice as far, at most what is expected to fit; n = no further."""
        running = self.running()
        all_there_is = max((longest(r.inputs) for r in running), default=0)
        wanted = min(all_there_is, most or max(2 * n, self._campaign.screen or FIRST_BLOCK))
        if self._ends is None:
            return wanted
        if self._ends.left_s() <= PAGE_S + SANDBOX_START_S:
            return n
        return min(wanted, n + self._fitting(running)) if all(r.each_s for r in running) else wanted

    def _fitting(self, running: Sequence[Runner]) -> int:
        """How many problems more all can answer in the time left, with room for one answer of full length at the end."""
        assert self._ends is not None
        free_s = TRUST * (self._ends.left_s() - PAGE_S) - max(r.tail_s() for r in running)
        free_s -= sum(r.fixed_s for r in running)
        return max(0, math.floor(free_s / sum(r.each_s for r in running)))

    # ── one round ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _round(self, n: int, wanted: int) -> int:
        """Every model answers and is judged up to `wanted`; how far all of them came."""
        running = self.running()
        self._progress.say(f"round: problems {n + 1} to {wanted} of each suite, {len(running)} models")
        for number, runner in enumerate(running):
            later_s = self._later_s(running[number + 1 :], wanted - n)
            runner.session.deadline = self._ends.less(later_s) if self._ends is not None else None
            self._progress.say(f"[{number + 1}/{len(running)}] {runner.member.config.model}")
            part = block(runner.inputs, wanted)
            began = time.monotonic()
            fresh = left_over(runner.session.folder, part)
            with going_on(self._group, runner.member, self._progress):
                pipeline.answer(runner.session, part, self._progress)
                runner.learn(time.monotonic() - began, fresh - left_over(runner.session.folder, part))
                wanted = min(wanted, max(n, reached(runner.session, runner.inputs, wanted)))
            if wanted <= n:
                break
        return wanted

    def _later_s(self, later: Sequence[Runner], problems: int) -> float:
        """What the models after this one are expected to need; as long as nobody knows, an equal share of the time."""
        if self._ends is None or not later:
            return 0.0
        if all(runner.each_s for runner in later):
            return sum(runner.needs_s(problems) for runner in later) / TRUST
        return max(0.0, self._ends.left_s()) * len(later) / (len(later) + 1)

    def _close_round(self, n: int) -> None:
        """The block is common property: it is noted, the race looks at it, the page shows it."""
        running = self.running()
        problems = [f"{p.suite} {p.id}" for p in block(running[0].inputs, n).problems] if running else []
        done = {"n": n, "problems": problems, "models": [r.member.name for r in running], "ended_utc": now_utc()}
        self._group.record["rounds"].append(done)
        if self._race is not None and any(n < longest(r.inputs) for r in running):  # else there is nothing left to save
            self._look(n)
        self._group.save()
        self._write_page()

    def _write_page(self) -> None:
        """The page as it stands; how long it takes is kept for the last one."""
        if self._ends is not None and self._ends.left_s() <= 2 * PAGE_S:
            return
        began = time.monotonic()
        self._page(self._group.path)
        more_s = time.monotonic() - began - PAGE_S - self._kept_for_page_s
        if self._ends is not None and more_s > 0:
            self._kept_for_page_s += more_s
            self._ends = self._ends.less(more_s)

    def _look(self, n: int) -> None:
        assert self._race is not None
        running = self.running()
        scores = {r.member.name: scores_of(r.session, block(r.inputs, n)) for r in running}
        seconds = {r.member.name: s for r in running if (s := seconds_per_problem(r)) is not None}
        look = max((past.look for past in self._race.looks), default=0) + 1
        for stop in self._race.observe(scores, seconds, look):
            self._progress.say(
                f"the race stops {stop.model} after {stop.n} problems: {stop.rival} is ahead and not slower "
                f"(E = {stop.evidence:.3g}, from {stop.threshold:.3g} on)"
            )
        self._group.record["race"] = self._race.to_record()

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def gauge(self) -> None:
        """Efficiency, the time left dealt evenly among the models that are left."""
        running = self.running()
        for number, runner in enumerate(running):
            later = len(running) - number - 1
            session = runner.session
            if self._ends is not None:
                session.deadline = self._ends.less(max(0.0, self._ends.left_s()) * later / (later + 1))
            with going_on(self._group, runner.member, self._progress):
                pipeline.gauge(session, runner.inputs, self._progress)

    def end(self) -> None:
        """Every run's status; a model that the race stopped is partial by design."""
        running = self.running()
        for runner in self._all:
            ended = status(runner.session, runner.inputs, self._progress)
            runner.session.end(ended)
            if runner.member.error is None:
                note(self._group, runner.member, ended if runner in running or ended == "finished" else "stopped")


# ── what the rounds look at ──────────────────────────────────────────────────────────────────────────────────────────


def reached(session: Session, inputs: RunInputs, at_most: int) -> int:
    """The largest n ≤ `at_most` so that all samples of the first n problems of each suite have a verdict."""
    judged = {record["generation"] for record in session.folder.read("results")}
    first_open: dict[str, int] = {}
    seen: dict[str, dict[str, int]] = {}
    for sample in inputs.samples:
        places = seen.setdefault(sample.problem.suite, {})
        place = places.setdefault(sample.problem.id, len(places))
        if sample.key not in judged:
            first_open[sample.problem.suite] = min(first_open.get(sample.problem.suite, place), place)
    return min([at_most, *first_open.values()])


def scores_of(session: Session, inputs: RunInputs) -> dict[str, float]:
    """Mean score per problem over its styles and samples, as `suite id`; harness errors aside."""
    outcomes = {record["generation"]: record["outcome"] for record in session.folder.read("results")}
    tally: dict[str, list[bool]] = {}
    for sample in inputs.samples:
        outcome = outcomes.get(sample.key)
        if outcome is not None and outcome != Outcome.HARNESS_ERROR:
            tally.setdefault(_name(sample), []).append(outcome == Outcome.PASSED)
    return {name: sum(flags) / len(flags) for name, flags in tally.items()}


def _name(sample: Sample) -> str:
    return f"{sample.problem.suite} {sample.problem.id}"


def seconds_per_problem(runner: Runner) -> float | None:
    """Σ cost_s over the problems answered, plus the load's share of one problem of the whole run; None before any answer."""
    costs: dict[str, float] = {}
    for record in runner.session.folder.read("generations"):
        name = f"{record['suite']} {record['problem_id']}"
        costs[name] = costs.get(name, 0.0) + (record.get("cost_s") or 0.0)
    if not costs:
        return None
    load_s = one_load_s(runner.session.manifest) / max(1, len(runner.inputs.problems))
    return math.fsum(costs.values()) / len(costs) + load_s


def _race(group: Group, runners: Sequence[Runner], campaign: Campaign) -> Race:
    """The race that goes on from its log, or a new one."""
    names = [runner.member.name for runner in runners]
    record: dict[str, Any] | None = group.record.get("race")
    if record is None:
        return Race(names, screen=campaign.screen or 0)
    race = Race.from_record(record)
    race.screen = campaign.screen or race.screen
    race.models += [name for name in names if name not in race.models]
    return race
