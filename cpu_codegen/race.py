"""Racing: which models of a group may stop early, because another is surely better and no slower.

Covers `run --race` and `--screen N`: the rule, the looks, the log. Not covered: who is generated when (the rounds of a group),
and how a stopped model is shown (report/stopped.py).

The rule (issue 9). At the end of a block, for each pair of running models over the problems that both have, d ∈ [-1, 1] is the
rival's mean score on a problem minus the model's own, and E = ∫₀¹ Π(1 + λd) dλ. A model stops when some rival, not slower in
seconds per problem, has E ≥ (K - 1)/α with K models started. If the model is the best (no rival has a higher expected score),
each E is a fair gambler's capital or less; by Ville's inequality one of K - 1 rivals ever gets there with probability α at
most, at any number of looks (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting").
`--screen N` is the same rule with its first look after N problems. Not promised: that a model which stops was not the best on
one of several suites or styles; the scores raced are means over all that a problem was asked in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import permutations
from typing import Any

from cpu_codegen.stats.betting import anytime_mean, log_capital

ALPHA = 0.05
Scores = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why one model stopped: at which look, against whom, with what evidence; and what is known of it for good.

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


@dataclass(frozen=True, slots=True)
class Duel:
    """One pair at one look. `evidence` = E for "the rival is better"; `slower`: the rival is, so it cannot stop the model."""

    model: str
    rival: str
    problems: int
    evidence: float
    slower: bool


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

    def observe(self, scores: Scores, seconds_per_problem: Mapping[str, float], look: int) -> list[Stop]:
        """One look, at a block's end: who stops now. The same look seen again (a resumed run) changes nothing.

        `scores`: per model, each decided problem's mean score in [0, 1]; `seconds_per_problem`: mean wall seconds. `look`: its
        number, rising. A model without a figure of seconds neither stops nor is a reason to stop.
        """
        if any(past.look >= look for past in self.looks):
            return [stop for stop in self.stops if stop.look == look]
        self.models += [model for model in scores if model not in self.models]
        running = [model for model in self.running if model in scores and model in seconds_per_problem]
        pairs = [pair for pair in permutations(running, 2) if self._is_due(*pair, scores)]
        if not pairs:
            return []
        weighed = [self._duel(*pair, scores, seconds_per_problem) for pair in pairs]
        duels = [duel for duel in weighed if duel is not None]
        stops = [self._stop(model, duels, scores, seconds_per_problem, look) for model in running]
        found = [stop for stop in stops if stop is not None]
        self.looks.append(
            Look(look, len(self.models), self.threshold, tuple(duels), tuple(stop.model for stop in found))
        )
        self.stops += found
        return found

    def _is_due(self, model: str, rival: str, scores: Scores) -> bool:
        return len(scores[model].keys() & scores[rival].keys()) >= max(1, self.screen)

    def _duel(self, model: str, rival: str, scores: Scores, seconds: Mapping[str, float]) -> Duel | None:
        """The pair over its common problems; None where the rival is not ahead."""
        common = scores[model].keys() & scores[rival].keys()
        differences = [scores[rival][name] - scores[model][name] for name in sorted(common)]
        if math.fsum(differences) <= 0:
            return None
        return Duel(model, rival, len(common), evidence(differences), seconds[rival] > seconds[model])

    def _stop(
        self, model: str, duels: Sequence[Duel], scores: Scores, seconds: Mapping[str, float], look: int
    ) -> Stop | None:
        """The strongest rival's case against a model, if it is strong enough."""
        against = [
            duel for duel in duels if duel.model == model and not duel.slower and duel.evidence >= self.threshold
        ]
        if not against:
            return None
        worst = max(against, key=lambda duel: duel.evidence)
        mean = anytime_mean(list(scores[model].values()))
        return Stop(
            model=model,
            rival=worst.rival,
            look=look,
            problems=worst.problems,
            evidence=worst.evidence,
            threshold=self.threshold,
            seconds_per_problem=seconds[model],
            rival_seconds_per_problem=seconds[worst.rival],
            n=mean.n,
            mean=mean.value,
            low=mean.low,
            high=mean.high,
        )

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


def evidence(differences: Sequence[float]) -> float:
    """E = ∫₀¹ Π(1 + λd) dλ against "the mean difference is at most 0"; at most 1e300, so that it is a JSON number."""
    return math.exp(min(log_capital(differences), 300 * math.log(10)))
