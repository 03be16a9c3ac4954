"""The Pareto fronts of what fits, one for each column of quality, and the at most three names that they give.

A model is on a front when no other of the same column is both better and faster. Names, in this order:
    measured    of the models measured here on the suite that most of them share: the fastest that is not shown to be below the best
                (paired on the common problems, 95 %)
    promising   the fastest within NEAR_POINTS of the highest published score, where the first name's own original has less
    quick       the fastest on a front, when it is at least twice as fast as all names so far
Without any figure the largest model that fits stands alone, and the sentence says that nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cpu_codegen.plan.estimate import Plan, weight
from cpu_codegen.recommend.quality import Claim, Own
from cpu_codegen.stats import bootstrap_mean, score_interval, tango

Basis = Literal["measured", "published", "size"]
QUICKER = 2.0
LEAST_SHARE = 0.5
"""A quick model solves at least this share of what the first name does, else it is no alternative."""

MOST_NAMES = 3
NEAR_POINTS = 3.0
"""Published scores of several settings that differ by less say nothing of which model is better."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file that fits and is usable, with what is known of it."""

    plan: Plan
    own: Own | None = None
    claim: Claim | None = None

    @property
    def name(self) -> str:
        """As `-m` takes it."""
        return self.plan.spec.name

    @property
    def speed(self) -> float:
        """Tokens per second of one stream; 0 = unknown."""
        return self.plan.speed or 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """One name: why, in a sentence, and by which column it was chosen."""

    candidate: Candidate
    sentence: str
    basis: Basis


def front(candidates: Sequence[Candidate], quality: Callable[[Candidate], float | None]) -> list[Candidate]:
    """Those that no other one beats in quality without being slower; best first. Without a figure = not in it."""
    rated = [(value, one) for one in candidates if (value := quality(one)) is not None]
    rated.sort(key=lambda pair: (-pair[0], -pair[1].speed))
    kept: list[Candidate] = []
    for _, one in rated:
        if not kept or one.speed > kept[-1].speed:
            kept.append(one)
    return kept


def measured_quality(one: Candidate) -> float | None:
    """Of own runs."""
    return one.own.value if one.own else None


def published_quality(one: Candidate) -> float | None:
    """HumanEval+ alone, so that one suite orders them all."""
    return one.claim.value if one.claim and one.claim.suite == "humaneval+" else None


def choose(candidates: Sequence[Candidate]) -> list[Choice]:
    """At most three names, the first one to begin with. Tight ones are never named."""
    comfortable = [
        one for one in candidates if one.plan.verdict == "fits" and one.plan.spec.commercial_use != "forbidden"
    ]
    named = [choice for choice in (_measured(comfortable),) if choice]
    promising = _promising(comfortable, named[0].candidate if named else None)
    named += [promising] if promising else []
    quick = _quick(comfortable, named)
    named += [quick] if quick else []
    if not named and comfortable:
        named = [_by_size(comfortable)]
    return named[:MOST_NAMES]


# ── the names ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _measured(candidates: Sequence[Candidate]) -> Choice | None:
    known = [one for one in candidates if one.own]
    if not known:
        return None
    best = max(known, key=lambda one: (one.own.value if one.own else 0.0, one.speed))
    level = [one for one in known if one is best or not shown_below(one, best)]
    chosen = max(level, key=lambda one: one.speed)
    others = len(known) - 1
    beside = (
        "no other model that fits was measured here"
        if not others
        else f"the fastest of {len(known)} measured here that is not shown to be below the best"
    )
    return Choice(chosen, f"measured here: {solved(chosen.own)} at {pace(chosen)}; {beside}.", "measured")


def _promising(candidates: Sequence[Candidate], first: Candidate | None) -> Choice | None:
    rated = front(candidates, published_quality)
    unknown = [one for one in rated if one.own is None and one.claim is not None]
    if not unknown:
        return None
    top = published_quality(unknown[0]) or 0.0
    best = [one for one in unknown if (published_quality(one) or 0.0) >= top - NEAR_POINTS][
        -1
    ]  # the front's fastest come last
    if best.claim is None or (first is not None and (published_quality(first) or 0.0) >= best.claim.value):
        return None
    than = f", more than the {first.claim.value:g} of {first.name}'s" if first and first.claim else ""
    return Choice(
        best,
        f"{_promise(best, unknown[0])}: its {best.claim.of} is published with HumanEval+ {best.claim.value:g}{than}; "
        f"{pace(best)}; not measured here yet.",
        "published",
    )


def _promise(best: Candidate, top: Candidate) -> str:
    if best is top or top.claim is None:
        return "promises most"
    return f"promises as much as any (the highest published is {top.claim.value:g} of {top.name}), and is the fastest that does"


def _quick(candidates: Sequence[Candidate], named: Sequence[Choice]) -> Choice | None:
    """Compared within one column only: the first name's."""
    if not named:
        return None
    basis = named[0].basis
    quality = measured_quality if basis == "measured" else published_quality
    least = LEAST_SHARE * (quality(named[0].candidate) or 0.0)
    fast = max(choice.candidate.speed for choice in named)
    known = [one for one in front(candidates, quality) if (quality(one) or 0.0) >= least > 0]
    quicker = [one for one in known if one.speed >= QUICKER * fast > 0]
    if not quicker:
        return None
    one = quicker[0]  # the best of the quick ones
    value = solved(one.own) if basis == "measured" else f"HumanEval+ {one.claim.value:g} published" if one.claim else ""
    return Choice(one, f"when waiting matters: {pace(one)}, {one.speed / fast:.1f} times as fast, {value}.", basis)


def _by_size(candidates: Sequence[Candidate]) -> Choice:
    coders = [one for one in candidates if one.plan.spec.kind == "coder"]
    one = max(coders or candidates, key=lambda each: weight(each.plan))
    what = "code model" if coders else "model"
    return Choice(
        one, f"no data: nothing is known of any model that fits; this is the largest {what}, {pace(one)}.", "size"
    )


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def shown_below(one: Candidate, other: Candidate) -> bool:
    """True when the paired interval of their difference on the common problems lies below 0."""
    if one.own is None or other.own is None or one.own.suite != other.own.suite:
        return False
    common = sorted(one.own.scores.keys() & other.own.scores.keys())
    if not common:
        return False
    differences = [one.own.scores[name] - other.own.scores[name] for name in common]
    if all(d in (-1.0, 0.0, 1.0) for d in differences):
        return tango(sum(d > 0 for d in differences), sum(d < 0 for d in differences), len(common)).high < 0
    return bootstrap_mean(differences).high < 0


def solved(own: Own | None) -> str:
    """`lowcost60 0.52 [0.39, 0.64], n = 60`."""
    if own is None:
        return "not measured here"
    interval = score_interval(list(own.scores.values()))
    return f"{own.suite} {own.value:.2f} [{interval.low:.2f}, {interval.high:.2f}], n = {own.n}"


def pace(one: Candidate) -> str:
    """`22 tokens/s` where a run of one stream measured it, `≈ 22 tokens/s est.` else."""
    measured = one.plan.measured
    if not one.speed:
        return "at a speed that is not known"
    if measured is not None and measured.width == 1:
        return f"{one.speed:.3g} tokens/s"
    return f"≈ {one.speed:.2g} tokens/s (estimate)"
