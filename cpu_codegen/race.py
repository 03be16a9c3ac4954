"""Racing: which models of a group may stop early, because another is surely better and no slower.

Covers `run --race` and `--screen N`: the rule, the looks, the log. Not covered: who is generated when (the rounds of a group),
and how a stopped model is shown (report/stopped.py).

The rule (issue 9). At the end of a block, for each pair of running models over the problems that both have, d ∈ [-1, 1] is the
rival's mean score on a problem minus the model's own, and E = ∫₀¹ Π(1 + λd) dλ. A model stops when some rival, not slower in
seconds per problem, has E ≥ (K - 1)/α with K models started. If the model is the best (no rival has a higher expected score),
each E is a fair gambler's capital or less; by Ville's inequality one of K - 1 rivals ever gets there with probability α at
most, at any number of looks (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting").
`--screen N` is the same rule with its first look after N problems.

Of several suites nothing is pooled: E, d, the rival and the seconds are those of one suite, and a model stops only when the rule
holds on every suite that has problems left, each by a rival of its own. So whoever is the best on any one suite is dropped
before the end of it with probability α at most, as if it were raced there alone; a suite that is answered to its end has
nothing left to lose. Not promised: that a model which stops was not the best in one of several styles; a problem's score is
the mean over all that it was asked in.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import permutations
from typing import Any

from cpu_codegen.stats.betting import anytime_mean, log_capital

ALPHA = 0.05
Scores = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Model → suite → problem → its mean score in [0, 1]."""

Seconds = Mapping[str, Mapping[str, float]]
"""Model → suite → mean wall seconds per problem."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why one model stopped, on one of the suites that had problems left: at which look, against whom, with what evidence; and what
    is known of it there for good. A model that stops has one for each such suite.

    `problems` are those that both had at the look. `mean`, `low`, `high` are the stopped model's mean score over its own `n`
    problems with a 95 % interval that holds although the data chose the moment.
    """

    model: str
    rival: str
    look: int
    problems: int
    evidence: float
    threshold: float
    seconds_per_problem: float
    rival_seconds_per_problem: float
    n: int
    mean: float
    low: float
    high: float
    suite: str = ""


@dataclass(frozen=True, slots=True)
class Duel:
    """One pair on one suite at one look. `evidence` = E for "the rival is better"; a `slower` rival cannot stop the model."""

    model: str
    rival: str
    problems: int
    evidence: float
    slower: bool
    suite: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One look: K, the threshold (K - 1)/α, every pair that was weighed (the losing side only), who stopped."""

    look: int
    models: int
    threshold: float
    duels: tuple[Duel, ...]
    stopped: tuple[str, ...]


@dataclass(slots=True)
class Race:
    """The race of a group: which models it has, what each look saw, who stopped. `to_record` and `from_record` are inverses."""

    models: list[str]
    screen: int = 0
    alpha: float = ALPHA
    looks: list[Look] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)

    @property
    def running(self) -> list[str]:
        """The models that have not stopped, in the order of the group."""
        gone = {stop.model for stop in self.stops}
        return [model for model in self.models if model not in gone]

    @property
    def threshold(self) -> float:
        """What E must reach: (K - 1)/α. A model that joined later counts from its first look."""
        return max(1, len(self.models) - 1) / self.alpha

    def observe(
        self, scores: Scores, seconds_per_problem: Seconds, look: int, *, left: Collection[str] | None = None
    ) -> list[Stop]:
        """One look, at a block's end: who stops now. The same look seen again (a resumed run) changes nothing.

        `scores` are those of decided problems. `look`: its number, rising. `left`: the suites that have problems left, all unless
        given. On a suite where a model has no figure of seconds it neither stops nor is a reason to stop.
        """
        if any(past.look >= look for past in self.looks):
            return [stop for stop in self.stops if stop.look == look]
        self.models += [model for model in scores if model not in self.models]
        running = [model for model in self.running if model in scores]
        suites = [name for name in dict.fromkeys(s for m in running for s in scores[m]) if left is None or name in left]
        arenas = [_Arena(name, _of(name, scores, running), _of(name, seconds_per_problem, running)) for name in suites]
        if not any(arena.pairs(self.screen) for arena in arenas):
            return []
        duels = [duel for arena in arenas for duel in arena.duels(self.screen)]
        stops = [stop for model in running for stop in self._stops(model, duels, arenas, look)]
        gone = tuple(dict.fromkeys(stop.model for stop in stops))
        self.looks.append(Look(look, len(self.models), self.threshold, tuple(duels), gone))
        self.stops += stops
        return stops

    def _stops(self, model: str, duels: Sequence[Duel], arenas: Sequence[_Arena], look: int) -> list[Stop]:
        """The strongest case against a model on each suite; none unless there is a strong enough one on all of them."""
        cases = [self._case(model, duels, arena) for arena in arenas]
        found = [
            arena.stop(duel, look, self.threshold)
            for arena, duel in zip(arenas, cases, strict=True)
            if duel is not None
        ]
        return found if len(found) == len(arenas) else []

    def _case(self, model: str, duels: Sequence[Duel], arena: _Arena) -> Duel | None:
        against = [
            duel
            for duel in duels
            if (duel.model, duel.suite) == (model, arena.suite) and not duel.slower and duel.evidence >= self.threshold
        ]
        return max(against, key=lambda duel: duel.evidence, default=None)

    def to_record(self) -> dict[str, Any]:
        """The race log as strict JSON."""
        return {
            "models": list(self.models),
            "screen": self.screen,
            "alpha": self.alpha,
            "looks": [
                {**asdict(look), "duels": [asdict(d) for d in look.duels], "stopped": list(look.stopped)}
                for look in self.looks
            ],
            "stops": [asdict(stop) for stop in self.stops],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Race:
        """A race that goes on from its log."""
        looks = [
            Look(
                **{**look, "duels": tuple(Duel(**duel) for duel in look["duels"]), "stopped": tuple(look["stopped"])},
            )
            for look in record.get("looks", [])
        ]
        return cls(
            models=list(record["models"]),
            screen=int(record.get("screen", 0)),
            alpha=float(record.get("alpha", ALPHA)),
            looks=looks,
            stops=[Stop(**stop) for stop in record.get("stops", [])],
        )


@dataclass(frozen=True, slots=True)
class _Arena:
    """One suite at one look: the running models' scores and seconds on it."""

    suite: str
    scores: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]

    def pairs(self, screen: int) -> list[tuple[str, str]]:
        """Model and rival, where both have seconds and enough problems in common."""
        known = [model for model in self.scores if model in self.seconds]
        return [pair for pair in permutations(known, 2) if len(self._common(*pair)) >= max(1, screen)]

    def _common(self, model: str, rival: str) -> list[str]:
        return sorted(self.scores[model].keys() & self.scores[rival].keys())

    def duels(self, screen: int) -> list[Duel]:
        """Every pair in which the rival is ahead."""
        found = []
        for model, rival in self.pairs(screen):
            common = self._common(model, rival)
            differences = [self.scores[rival][name] - self.scores[model][name] for name in common]
            if math.fsum(differences) > 0:
                slower = self.seconds[rival] > self.seconds[model]
                found.append(Duel(model, rival, len(common), evidence(differences), slower, self.suite))
        return found

    def stop(self, duel: Duel, look: int, threshold: float) -> Stop:
        """The record of a model that this duel stops."""
        mean = anytime_mean(list(self.scores[duel.model].values()))
        return Stop(
            model=duel.model,
            rival=duel.rival,
            look=look,
            problems=duel.problems,
            evidence=duel.evidence,
            threshold=threshold,
            seconds_per_problem=self.seconds[duel.model],
            rival_seconds_per_problem=self.seconds[duel.rival],
            n=mean.n,
            mean=mean.value,
            low=mean.low,
            high=mean.high,
            suite=self.suite,
        )


def _of(suite: str, told: Mapping[str, Mapping[str, Any]], models: Sequence[str]) -> dict[str, Any]:
    """What is told of one suite, by model."""
    return {model: told[model][suite] for model in models if suite in told.get(model, {})}


def evidence(differences: Sequence[float]) -> float:
    """E = ∫₀¹ Π(1 + λd) dλ against "the mean difference is at most 0"; at most 1e300, so that it is a JSON number."""
    return math.exp(min(log_capital(differences), 300 * math.log(10)))
