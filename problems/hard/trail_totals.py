"""Add up the minutes of a nested trail plan.

topics: parsing, text formatting
"""

from __future__ import annotations

import random


def trail_totals(plan: list[str]) -> list[str]:
    """Return "name: total" for each stage of a nested trail plan, in plan order.

    A stage line is a depth, a name of one or more words, and minutes, separated by spaces. Depth
    is 0 or more; minutes may be negative. Blank lines are skipped. A stage covers the stages that
    follow it directly as long as their depth is larger than its own; depths may jump, and a plan
    may start at any depth. The total of a stage is its own minutes plus those of all stages it
    covers, with one exception: if a covered stage has a name ending in "?", neither it nor
    the stages it covers are added. Such a stage still gets its own total. Words of a name
    are printed with single spaces.

    >>> trail_totals(["0 Ridge walk 5", "1 ford 10", "2 nap? 30", "3 tea 4", "0 Inn 1"])
    ['Ridge walk: 15', 'ford: 10', 'nap?: 34', 'tea: 4', 'Inn: 1']
    >>> trail_totals(["2 hut 3", "", "1 peak -4"])
    ['hut: 3', 'peak: -4']
    """
    waiting: list[tuple[int, int]] = []
    result: list[str] = []
    for line in reversed(plan):
        if not line.strip():
            continue
        depth, *words, minutes = line.split()
        level = int(depth)
        total = int(minutes)
        while waiting and waiting[-1][0] > level:
            total += waiting.pop()[1]
        name = " ".join(words)
        waiting.append((level, 0 if name.endswith("?") else total))
        result.append(f"{name}: {total}")
    result.reverse()
    return result


def naive(plan: list[str]) -> list[str]:
    """Same answers, looking ahead from each stage."""
    stages: list[tuple[int, str, int]] = []
    for line in plan:
        if line.strip():
            depth, *words, minutes = line.split()
            stages.append((int(depth), " ".join(words), int(minutes)))
    result: list[str] = []
    for spot, (level, name, total) in enumerate(stages):
        skip: int | None = None
        for later in range(spot + 1, len(stages)):
            deeper, other, minutes_later = stages[later]
            if deeper <= level:
                break
            if skip is not None and deeper > skip:
                continue
            skip = deeper if other.endswith("?") else None
            if skip is None:
                total += minutes_later
        result.append(f"{name}: {total}")
    return result


CASES = [
    ([],),
    (["", "  "],),
    (["0 a 5"],),
    (["0 a 5", "0 b 6"],),
    (["0 a 5", "1 b 6", "2 c 7", "1 d 8", "0 e 9"],),
    (["0 a 1", "5 b 2", "3 c 4", "4 d 8", "3 e 16"],),
    (["4 a 1", "2 b 2", "3 c 3", "0 d 4"],),
    (["0 a 1", "1 b? 2", "2 c 4", "1 d 8"],),
    (["0 a? 1", "1 b? 2", "2 c? 4", "3 d 8"],),
    (["0 a 1", "1 b? 2", "1 c 4", "2 e? 5", "3 f? 6", "2 g 7"],),
    (["0  long   name  3", "   1 b -10  ", "", "2 c 4"],),
    (["0 why? not 3", "1 so ? 4", "2 x 5"],),
    (["10 a 1", "9 b 2", "10 c 3", "2 d 4", "10 e 5"],),
    (["0 7 7", "1 8 8", "1 9? 9"],),
    (["0 a -5", "1 b 5", "2 c -1", "", "1 d? -9", "2 e 100"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """n stages that mostly go deeper and deeper."""
    rng = random.Random(n * 1009 + seed)
    plan: list[str] = []
    for spot in range(n):
        depth = max(0, spot - rng.choice([0, 0, 0, 1, 2, 5]))
        name = "rest?" if rng.random() < 0.05 else rng.choice(["ford", "old mill", "hut"])
        plan.append(f"{depth} {name} {rng.randint(-5, 90)}")
    return (plan,)


SIZES = (60, 500, 3_000)
GROWTH = {"reference": "n", "naive": "n^2"}
