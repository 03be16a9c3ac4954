"""Lines of fidelity.jsonl → ladders: figures of each file with intervals over problems. Pure.

A ladder holds files of one base, one vocabulary, one suite and equal token ids, over the problems that all of them have; a file
that lacks problems (interrupted) is named instead of shown. Formulas: bits per byte = Σ −log2 p(token) / Σ bytes of the scored
tokens; KL = mean over tokens of Σ p_base (ln p_base − ln p), and its 99th percentile over tokens; same top = share of tokens at
which both find the same next token likeliest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cpu_codegen.stats import FEWEST_PROBLEMS, Estimate, pooled_quantile, ratio_of_sums, wilson

Line = dict[str, Any]
Closeness = Literal["further", "closer", "no_difference"]
PERCENTILE = 0.99


@dataclass(frozen=True, slots=True)
class Step:
    """One file. The base has bits per byte alone. `against_above` is its mean KL minus that of the next larger file, paired."""

    name: str
    quant: str
    sha256: str
    size_bytes: int
    bits_per_byte: Estimate
    kl_nats: Estimate | None = None
    kl_p99_nats: Estimate | None = None
    same_top: Estimate | None = None
    against_above: Estimate | None = None

    @property
    def verdict(self) -> Closeness | None:
        """Whether it is further from the base than the next larger file.

        None for the base and the first step, and where too few problems would have to decide.
        """
        if self.against_above is None:
            return None
        if 0.0 in self.against_above.interval:
            return "no_difference"
        if self.against_above.n < FEWEST_PROBLEMS:
            return None
        return "further" if self.against_above.value > 0 else "closer"


@dataclass(frozen=True, slots=True)
class Ladder:
    """The base first, then from the largest file to the smallest. `notes` say what is not in it."""

    base: str
    base_quant: str
    base_sha256: str
    base_bytes: int
    vocabulary: int
    suite: str
    problems: int
    tokens: int
    reference_bytes: int
    builds: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def ladders(lines: Iterable[Line]) -> list[Ladder]:
    """All ladders that these lines hold, each with two files or more."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        if line["tokens"]:
            groups.setdefault((line["base"]["sha256"], line["vocabulary_hash"], line["suite"]), []).append(line)
    return [found for group in groups.values() if (found := _ladder(group)) is not None]


def _ladder(lines: Sequence[Line]) -> Ladder | None:
    base_sha = lines[0]["base"]["sha256"]
    base = {line["problem_id"]: line for line in lines if line["model"]["sha256"] == base_sha}
    others: dict[str, dict[str, Line]] = {}
    for line in lines:
        mine, sha = base.get(line["problem_id"]), line["model"]["sha256"]
        if sha != base_sha and mine is not None and mine["tokens_hash"] == line["tokens_hash"]:
            others.setdefault(sha, {})[line["problem_id"]] = line
    most = max((len(found) for found in others.values()), default=0)
    whole = [found for found in others.values() if len(found) == most]
    if not whole:
        return None
    if not set(whole[0]).intersection(*whole):
        whole = whole[-1:]  # files scored on other problems each: the one that came last
    problems = sorted(set(whole[0]).intersection(*whole))
    whole.sort(key=lambda found: -int(found[problems[0]]["model"]["size_bytes"]))
    first = base[problems[0]]
    kept = [[found[problem] for problem in problems] for found in (base, *whole)]
    return Ladder(
        base=first["model"]["name"],
        base_quant=first["model"]["quant"],
        base_sha256=base_sha,
        base_bytes=first["model"]["size_bytes"],
        vocabulary=first["vocabulary"],
        suite=first["suite"],
        problems=len(problems),
        tokens=sum(line["tokens"] for line in kept[0]),
        reference_bytes=sum(line["bytes"] for line in kept[0]),
        builds=tuple(dict.fromkeys(line["build"] for part in kept for line in part if line["build"])),
        steps=_steps(kept),
        notes=tuple(_left_out(found, problems) for found in others.values() if found not in whole),
    )


def _left_out(found: dict[str, Line], problems: Sequence[str]) -> str:
    name, count = next(iter(found.values()))["model"]["name"], sum(problem in found for problem in problems)
    return f"{name} is left out: it has {count} of {len(problems)} problems; the same ladder command goes on with it"


def _steps(kept: Sequence[list[Line]]) -> tuple[Step, ...]:
    steps = [_step(lines, is_base=number == 0) for number, lines in enumerate(kept)]
    for number in range(2, len(steps)):
        steps[number] = replace(steps[number], against_above=_further(kept[number - 1], kept[number]))
    return tuple(steps)


def _step(lines: list[Line], *, is_base: bool) -> Step:
    model, tokens = lines[0]["model"], [line["tokens"] for line in lines]
    bits = ratio_of_sums([line["nll_nats"] / math.log(2) for line in lines], [line["bytes"] for line in lines])
    step = Step(model["name"], model["quant"], model["sha256"], model["size_bytes"], _from_zero(bits))
    if is_base:
        return step
    return replace(
        step,
        kl_nats=_from_zero(ratio_of_sums([math.fsum(line["kl_nats"]) for line in lines], tokens)),
        kl_p99_nats=_from_zero(pooled_quantile([line["kl_nats"] for line in lines], PERCENTILE)),
        same_top=_share([line["same_top"] for line in lines], tokens),
    )


def _from_zero(estimate: Estimate) -> Estimate:
    return replace(estimate, low=max(0.0, estimate.low))


def _share(parts: Sequence[int], tokens: Sequence[int]) -> Estimate:
    """Where all problems have the same share a bootstrap knows no spread, so Wilson over problems (contracts §2)."""
    found = ratio_of_sums(parts, tokens)
    if len({part / whole for part, whole in zip(parts, tokens, strict=True)}) > 1:
        return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
    interval = wilson(min(found.value * len(parts), len(parts)), len(parts))
    return replace(found, low=interval.low, high=interval.high)


def _further(above: list[Line], below: list[Line]) -> Estimate:
    """Mean KL of the smaller file minus that of the larger one, on the same tokens."""
    differences = [
        math.fsum(low["kl_nats"]) - math.fsum(high["kl_nats"]) for high, low in zip(above, below, strict=True)
    ]
    return ratio_of_sums(differences, [line["tokens"] for line in below])
