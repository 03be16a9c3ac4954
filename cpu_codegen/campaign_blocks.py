"""One model of a round and its blocks: which problems, how far it came, how long it takes, what the race sees of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from cpu_codegen.campaign import Member
from cpu_codegen.columns.in_time import SANDBOX_START_S, scoring_each_s
from cpu_codegen.inputs import RunInputs
from cpu_codegen.report.cost import is_of_other_width, one_load_s, widths_of
from cpu_codegen.schema import Outcome
from cpu_codegen.session import Session


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
        costs = [record.get("cost_s") or 0.0 for record in _timed(self.session)]
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


def sizes(inputs: RunInputs) -> dict[str, int]:
    """Problems of each suite."""
    counts: dict[str, int] = {}
    for problem in inputs.problems:
        counts[problem.suite] = counts.get(problem.suite, 0) + 1
    return counts


def longest(inputs: RunInputs) -> int:
    """Problems of the largest suite."""
    return max(sizes(inputs).values(), default=0)


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


def scores_of(session: Session, inputs: RunInputs) -> dict[str, dict[str, float]]:
    """Of each suite the mean score per problem over its styles and samples; harness errors aside."""
    outcomes = {record["generation"]: record["outcome"] for record in session.folder.read("results")}
    tally: dict[str, dict[str, list[bool]]] = {}
    for sample in inputs.samples:
        outcome = outcomes.get(sample.key)
        if outcome is not None and outcome != Outcome.HARNESS_ERROR:
            flags = tally.setdefault(sample.problem.suite, {}).setdefault(sample.problem.id, [])
            flags.append(outcome == Outcome.PASSED)
    return {suite: {name: sum(f) / len(f) for name, f in problems.items()} for suite, problems in tally.items()}


def _timed(session: Session) -> list[dict[str, Any]]:
    """The answers whose seconds are this run's: not those that were taken over from a run of another width."""
    generations = list(session.folder.read("generations"))
    widths = widths_of(generations)
    return [record for record in generations if not is_of_other_width(record, widths)]


def seconds_per_problem(runner: Runner) -> dict[str, float]:
    """Of each suite Σ cost_s over its problems answered, plus the load's share of one problem of the whole run."""
    costs: dict[str, dict[str, float]] = {}
    for record in _timed(runner.session):
        of_suite = costs.setdefault(record["suite"], {})
        of_suite[record["problem_id"]] = of_suite.get(record["problem_id"], 0.0) + (record.get("cost_s") or 0.0)
    load_s = one_load_s(runner.session.manifest) / max(1, len(runner.inputs.problems))
    return {suite: math.fsum(found.values()) / len(found) + load_s for suite, found in costs.items()}
