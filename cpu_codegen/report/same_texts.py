"""How far two runs of one model wrote the same texts: what another width, build or cache type changes in the answers. Pure.

A model's greedy answers to one prompt should be equal. Kernels that decode several sequences together sum in another order, which
turns a near tie now and then, and from there on the answer is another one. Raw texts are compared, answer by answer, where both
runs asked the same prompt. Not covered: verdicts by problem (rates.py), which runs may be compared (compare_factors.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.report.rates import counts
from cpu_codegen.schema import FinishReason, Outcome
from cpu_codegen.stats import Estimate, median, score_interval

Sample = dict[str, Any]
_NO_TEXT = (FinishReason.ENGINE_ERROR, FinishReason.PROMPT_TOO_LONG)


@dataclass(frozen=True, slots=True)
class SameTexts:
    """Of `answers` that both runs gave to the same prompts, `same` are equal to the last character; `share` has its interval.

    Of the others `only_longer` are equal until one ends, and `flips` have another verdict (passed or not). The first difference
    falls behind `equal_characters` (median; `least_characters` is the earliest), about `equal_tokens`, by the answers' characters a
    token. `taken_over` answers were not generated twice, so they are left out.
    """

    answers: int
    same: int
    share: Estimate
    only_longer: int = 0
    flips: int = 0
    equal_characters: float | None = None
    least_characters: int | None = None
    equal_tokens: float | None = None
    taken_over: int = 0

    @property
    def different(self) -> int:
        """Answers whose texts are not the same."""
        return self.answers - self.same

    def sentence(self) -> str:
        """`4 of 120 differ: 212 characters are equal before (≈ 61 tokens, median; 87 at the earliest); 1 of them changed …`."""
        said = f"all {self.answers} equal to the last character"
        if self.different:
            before = (
                f"{self.equal_characters:.0f} characters are equal before (≈ {self.equal_tokens:.0f} tokens, median"
            )
            lengths = f" ({self.only_longer} of them only in length)" if self.only_longer else ""
            said = f"{self.different} of {self.answers} differ{lengths}: {before}; {self.least_characters} at the earliest)"
            said += f"; {self.flips or 'none'} of them changed {'their' if self.flips > 1 else 'its'} verdict"
        left_out = f"left out: {self.taken_over} taken over from another run" if self.taken_over else ""
        return "; ".join(filter(None, (said, left_out)))


def same_texts(baseline: Iterable[Sample], other: Iterable[Sample]) -> SameTexts | None:
    """Compares the samples of one suite and style of each; None where both have no prompt in common."""
    first, second = _by_place(baseline), _by_place(other)
    asked = [(first[place], second[place]) for place in first if place in second]
    asked = [pair for pair in asked if pair[0].get("prompt_hash") == pair[1].get("prompt_hash")]
    pairs = [pair for pair in asked if not any(sample.get("reused_from") for sample in pair)]
    if not pairs:
        return None
    shares: dict[str, list[bool]] = {}
    for theirs, ours in pairs:
        shares.setdefault(theirs["problem_id"], []).append(theirs["text"] == ours["text"])
    scores = [sum(equal) / len(equal) for equal in shares.values()]
    interval, same = score_interval(scores), sum(map(sum, shares.values()))
    share = Estimate(sum(scores) / len(scores), interval.low, interval.high, len(scores))
    different = [pair for pair in pairs if pair[0]["text"] != pair[1]["text"]]
    return SameTexts(len(pairs), same, share, taken_over=len(asked) - len(pairs), **_where(different))


def _by_place(samples: Iterable[Sample]) -> dict[tuple[str, int], Sample]:
    """Answers that have a text, by what they answer."""
    return {
        (sample["problem_id"], sample["index"]): sample
        for sample in samples
        if "text" in sample and sample.get("finish_reason") not in _NO_TEXT
    }


def _where(different: Sequence[tuple[Sample, Sample]]) -> dict[str, Any]:
    """Where texts part that are not the same, and what follows from it."""
    if not different:
        return {}
    equal = [_equal_characters(theirs["text"], ours["text"]) for theirs, ours in different]
    ends = [min(len(theirs["text"]), len(ours["text"])) for theirs, ours in different]
    tokens = [at * _tokens_per_character(*pair) for at, pair in zip(equal, different, strict=True)]
    judged = [pair for pair in different if all(map(counts, pair))]
    return {
        "only_longer": sum(at == end for at, end in zip(equal, ends, strict=True)),
        "flips": sum((a["outcome"] == Outcome.PASSED) != (b["outcome"] == Outcome.PASSED) for a, b in judged),
        "equal_characters": median(equal),
        "least_characters": min(equal),
        "equal_tokens": median(tokens),
    }


def _equal_characters(first: str, second: str) -> int:
    """How many characters the two begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _tokens_per_character(*samples: Sample) -> float:
    """Of both texts together."""
    characters = sum(len(sample["text"]) for sample in samples)
    return sum(sample.get("completion_tokens") or 0 for sample in samples) / characters if characters else 0.0
