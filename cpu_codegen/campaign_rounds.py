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
from typing import Any

from cpu_codegen import pipeline
from cpu_codegen.campaign import Member, Page, going_on, note
from cpu_codegen.campaign_blocks import Runner, block, longest, reached, scores_of, seconds_per_problem, sizes
from cpu_codegen.columns.in_time import PAGE_S, SANDBOX_START_S, left_over, status
from cpu_codegen.config import Campaign
from cpu_codegen.counts import count_of
from cpu_codegen.deadline import Deadline
from cpu_codegen.group import Group
from cpu_codegen.progress import Progress
from cpu_codegen.race import Race
from cpu_codegen.run_names import now_utc
from cpu_codegen.session import open_run

FIRST_BLOCK = 6
"""Problems per suite in the first round: two of each level of lowcost60; enough to learn how long a problem takes."""

TRUST = 0.9
"""The part of the time left that a new block may be expected to take."""


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
            stack.enter_context(session.kept(member.inputs.samples))
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
        n = self._done_before()
        most = self._begun_before(n)
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

    def _begun_before(self, n: int) -> int | None:
        """The end of the block in which an earlier command was killed: it is finished first, or noted where all have it."""
        block_end = int(self._group.record.get("block") or 0)
        noted = max((int(done["n"]) for done in self._group.record["rounds"]), default=0)
        if noted < block_end <= n:
            self._close_round(block_end)
        return block_end if n < block_end <= max(2 * n, self._first_block()) else None

    def _first_block(self) -> int:
        return self._campaign.screen or FIRST_BLOCK

    # ── the size of a round ──────────────────────────────────────────────────────────────────────────────────────────

    def _next(self, n: int, most: int | None) -> int:
        """Up to which problem the next round goes: at most twice as far, at most what is expected to fit; n = no further."""
        running = self.running()
        all_there_is = max((longest(r.inputs) for r in running), default=0)
        wanted = min(all_there_is, most or max(2 * n, self._first_block()))
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
        self._group.save(block=wanted)
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
        seconds = {r.member.name: seconds_per_problem(r) for r in running}
        left = {suite for r in running for suite, size in sizes(r.inputs).items() if size > n}
        look = max((past.look for past in self._race.looks), default=0) + 1
        for stop in self._race.observe(scores, seconds, look, left=left):
            self._progress.say(
                f"the race stops {stop.model} after {count_of(stop.n, 'problem')} of {stop.suite}: "
                f"{stop.rival} is ahead and not slower (E = {stop.evidence:.3g}, from {stop.threshold:.3g} on)"
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
