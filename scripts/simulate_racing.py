#!/usr/bin/env python3
"""Does a race lose the best model? Simulated leaderboards, many of them, beside repeated McNemar tests as a control.

    scripts/simulate_racing.py [--boards 1000] [--seed 0] [--screen N] [--every N]

For each scenario, number of models K = 2 … 8 and n = 60 or 224 problems, `--boards` leaderboards are drawn. A problem has a
difficulty that all models share (so their answers are correlated), a model a skill that gives it its expected rate. Looks come at
the ends of blocks that at most double what is known: 8, 16, 32 … problems; with `--every N` after each N. Best = the highest
expected rate; where several are tied at the top it counts as lost only if all of them are dropped.

Two rules are run over the same answers. `race`: the rule of cpu_codegen/race.py (a test proves on drawn leaderboards that both
stop the same models at the same looks). `McNemar`: a model is dropped when an exact two-sided McNemar test against any other
reads p < 0.05 at any look, which is what looking again and again at an ordinary test does.

Printed per line: the share of generating time saved, and how often the best was lost with its 95 % Clopper–Pearson interval. Exit 1
when the lower end of any interval of the race exceeds 5 %. All models are equally fast (so that any of them may stop any other, the
hard case) but in `best is slow`, where the fast ones can only be stopped by each other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.race import ALPHA  # noqa: E402
from cpu_codegen.stats import clopper_pearson, mcnemar_exact  # noqa: E402
from cpu_codegen.stats.betting import gauss_legendre  # noqa: E402

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Rule = Callable[[Counts, int], Flags]

FIRST_BLOCK = 8  # problems
BEST_RATE = 0.60
DIFFICULTY_SPREAD = 2.0  # of the problems' log odds: two equal models then agree on about 3 problems in 4
SIZES = (60, 224)
MODELS = range(2, 9)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Expected rates of K models, the best first, and their seconds per problem."""

    name: str
    gaps: Callable[[int], list[float]]
    seconds: Callable[[int], list[float]]

    def rates(self, models: int) -> list[float]:
        """Expected rates."""
        return [BEST_RATE - gap for gap in self.gaps(models)]


def _same(models: int) -> list[float]:
    return [1.0] * models


SCENARIOS = (
    Scenario("all equal", lambda k: [0.0] * k, _same),
    Scenario("one ahead by 1", lambda k: [0.0, *[0.01] * (k - 1)], _same),
    Scenario("one ahead by 5", lambda k: [0.0, *[0.05] * (k - 1)], _same),
    Scenario("two ahead by 5", lambda k: [0.0, 0.0, *[0.05] * (k - 2)], _same),
    Scenario("ladder of 1", lambda k: [0.01 * i for i in range(k)], _same),
    Scenario("ladder of 3", lambda k: [0.03 * i for i in range(k)], _same),
    Scenario("ladder of 8", lambda k: [0.08 * i for i in range(k)], _same),
    Scenario("best is slow", lambda k: [0.08 * i for i in range(k)], lambda k: [3.0, *[1.0] * (k - 1)]),
)


@dataclass(frozen=True, slots=True)
class Raced:
    """What a rule did to all leaderboards of one setting."""

    boards: int
    saved: float
    lost: int

    @property
    def low(self) -> float:
        """The lower end of the interval of the rate of losing the best."""
        return clopper_pearson(self.lost, self.boards).low

    def __str__(self) -> str:
        ends = clopper_pearson(self.lost, self.boards)
        rate = self.lost / self.boards
        return f"{self.saved:5.0%}  {rate:6.1%} [{ends.low:5.1%}, {ends.high:5.1%}]"


# ── leaderboards ─────────────────────────────────────────────────────────────────────────────────────────────────────


def answers(rates: Sequence[float], problems: int, boards: int, seed: int) -> Flags:
    """Which model solved which problem: boards × models × problems."""
    rng = np.random.default_rng(seed)
    difficulty = rng.standard_normal((boards, 1, problems)) * DIFFICULTY_SPREAD
    skill = np.array([skill_of(rate) for rate in rates])[None, :, None]
    solved: Flags = rng.random((boards, len(rates), problems)) < 1 / (1 + np.exp(difficulty - skill))
    return solved


@lru_cache(maxsize=256)
def skill_of(rate: float) -> float:
    """The log odds at which a model solves a share `rate` of all problems, difficulty integrated out."""
    places, weights = np.polynomial.hermite_e.hermegauss(60)
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        solved = float(weights @ (1 / (1 + np.exp(places * DIFFICULTY_SPREAD - middle)))) / float(weights.sum())
        low, high = (middle, high) if solved < rate else (low, middle)
    return low


def looks(problems: int, screen: int = 0, every: int = 0) -> list[int]:
    """Problems known at each look: each block doubles them, or adds `every`; none before `screen`."""
    known = [every or FIRST_BLOCK]
    while known[-1] < problems:
        known.append(min(known[-1] + (every or known[-1]), problems))
    return [n for n in known if n >= screen]


# ── the two rules, as tables over (problems that the rival alone solved, problems that the model alone solved) ───────


@lru_cache(maxsize=8)
def log_evidence(problems: int) -> Floats:
    """ln ∫₀¹ (1 + λ)^b (1 - λ)^c dλ for all b, c up to `problems`: E of race.py where each problem has one answer."""
    nodes = np.array(gauss_legendre(problems + 1))
    won, lost = np.log1p(nodes[:, 0]), np.log1p(-nodes[:, 0])
    count = np.arange(problems + 1)
    terms = np.log(nodes[:, 1]) + count[:, None, None] * won + count[None, :, None] * lost
    top = terms.max(axis=2)
    found: Floats = top + np.log(np.exp(terms - top[:, :, None]).sum(axis=2))
    return found


@lru_cache(maxsize=8)
def mcnemar_drops(problems: int) -> Flags:
    """Whether p < 0.05 in favour of the rival, for all b, c."""
    found = np.zeros((problems + 1, problems + 1), dtype=np.bool_)
    for b in range(problems + 1):
        for c in range(b):
            if b + c <= problems:
                found[b, c] = mcnemar_exact(b, c) < ALPHA
    return found


def betting_rule(problems: int) -> Rule:
    """race.py's: E ≥ (K - 1)/α."""
    table = log_evidence(problems)
    return lambda wins, models: table[wins, wins.swapaxes(1, 2)] >= np.log((models - 1) / ALPHA)


def mcnemar_rule(problems: int) -> Rule:
    """The control: p < 0.05, look after look, pair by pair."""
    table = mcnemar_drops(problems)
    return lambda wins, models: table[wins, wins.swapaxes(1, 2)]


def stopped_at(solved: Flags, seconds: Sequence[float], rule: Rule, at: Sequence[int]) -> Counts:
    """After how many problems each model of each board was stopped; one more than there are where it never was."""
    boards, models, problems = solved.shape
    pace = np.array(seconds)
    may_stop = (pace[None, :] <= pace[:, None]) & ~np.eye(models, dtype=np.bool_)  # [model, rival]: not slower
    ends = np.full((boards, models), problems + 1)
    for known in at:
        seen = solved[:, :, :known].astype(np.float32)
        wins = np.rint((1 - seen) @ seen.swapaxes(1, 2)).astype(np.int64)  # [model, rival]: the rival alone solved it
        running = ends > problems
        against = rule(wins, models) & may_stop & running[:, None, :]
        ends[running & against.any(axis=2)] = known
    return ends


def raced(ends: Counts, rates: Sequence[float], seconds: Sequence[float], problems: int) -> Raced:
    """Time saved and how often all of the best were dropped, at the last look too, where nothing is left to save."""
    pace, best = np.array(seconds), np.array(rates) == max(rates)
    left = problems - np.minimum(ends, problems)
    saved = float((left * pace).sum()) / (len(ends) * problems * float(pace.sum()))
    return Raced(len(ends), saved, int((ends[:, best] <= problems).all(axis=1).sum()))


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def simulate(
    *,
    boards: int,
    seed: int,
    screen: int = 0,
    every: int = 0,
    sizes: Sequence[int] = SIZES,
    models: Sequence[int] = MODELS,
) -> Iterator[tuple[str, int, int, Raced, Raced]]:
    """Scenario, K, n, the race, the control."""
    for scenario in SCENARIOS:
        for problems in sizes:
            for k in models:
                rates, seconds = scenario.rates(k), scenario.seconds(k)
                solved = answers(rates, problems, boards, seed)
                found = [
                    raced(
                        stopped_at(solved, seconds, rule(problems), looks(problems, screen, every)),
                        rates,
                        seconds,
                        problems,
                    )
                    for rule in (betting_rule, mcnemar_rule)
                ]
                yield scenario.name, k, problems, found[0], found[1]


def main() -> int:
    """Prints the table; 1 when the race is shown to lose the best more often than in 5 % of some scenario's boards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000, help="leaderboards per line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--screen", type=int, default=0, help="first look after so many problems")
    parser.add_argument("--every", type=int, default=0, help="a look after each so many problems")
    args = parser.parse_args()
    print(f"{'scenario':18} {'K':>2} {'n':>4}   race: saved, best lost [95 %]     McNemar: saved, best lost [95 %]")
    worst, control = 0.0, 0.0
    lines = simulate(boards=args.boards, seed=args.seed, screen=args.screen, every=args.every)
    for name, models, problems, race, mcnemar in lines:
        worst, control = max(worst, race.low), max(control, mcnemar.lost / mcnemar.boards)
        print(f"{name:18} {models:2} {problems:4}   {race}     {mcnemar}", flush=True)
    print(f"repeated McNemar lost the best in up to {control:.1%} of a scenario's leaderboards")
    if worst > ALPHA:
        print(f"the race loses the best too often: a lower end of {worst:.1%} is above {ALPHA:.0%}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
