"""Follow a recipe from friend to friend.

topics: graphs, searching
"""

from __future__ import annotations

import random
import re
from itertools import pairwise


def recipe_news(links: list[str], start: str) -> dict[str, int]:
    """Return on which day each person learns a recipe, as a dictionary from name to day.

    `start` knows the recipe on day 0. A link "Ann-Ben" means that Ann and Ben tell each other what
    they know, a link "Ann>Ben" means that Ann tells Ben, but Ben tells Ann nothing. Whoever learns
    the recipe on one day tells it on the next day to all people they tell things. Everybody learns
    it on the earliest possible day. Those who never learn it are left out. Names are letters only,
    and capitals matter. Links may repeat, and a name may be linked with itself. `start` may be
    missing in the links.

    >>> recipe_news(["Ann-Ben", "Cyd>Ben", "Ben>Dov"], "Ann")
    {'Ann': 0, 'Ben': 1, 'Dov': 2}
    >>> recipe_news([], "Eve")
    {'Eve': 0}
    """
    tells: dict[str, list[str]] = {}
    for link in links:
        one, two = re.split("[->]", link)
        tells.setdefault(one, []).append(two)
        if "-" in link:
            tells.setdefault(two, []).append(one)
    days = {start: 0}
    queue = [start]
    for name in queue:
        for friend in tells.get(name, []):
            if friend not in days:
                days[friend] = days[name] + 1
                queue.append(friend)
    return days


def naive(links: list[str], start: str) -> dict[str, int]:
    """Same answers, going through all links on every day."""
    pairs: list[list[str]] = []
    for link in links:
        pair = re.split("[->]", link)
        pairs.append(pair)
        if "-" in link:
            pairs.append(pair[::-1])
    days = {start: 0}
    day = 0
    while day in days.values():
        for one, two in pairs:
            if days.get(one) == day and two not in days:
                days[two] = day + 1
        day += 1
    return days


CASES = [
    ([], "A"),
    (["B-C"], "A"),
    (["A-A"], "A"),
    (["A-B"], "B"),
    (["A>B"], "B"),
    (["A>B"], "A"),
    (["A>A", "A>B", "A>B", "B-A"], "A"),
    (["C-D", "B-C", "A-B"], "A"),
    (["A-B", "B-C", "C-D", "D-A"], "A"),
    (["A>B", "B>C", "C>D", "A>D", "D>E"], "A"),
    (["A>B", "B>C", "C>A", "X>A"], "B"),
    (["ann-Ann", "Ann-ben"], "ann"),
    (["A-B", "B-C", "C-D", "D-E", "A>E", "E>D"], "A"),
    (["Mo>Jo", "Jo>Bo", "Bo-Mo", "Po-Lo", "Lo>Mo"], "Jo"),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str], str]:
    """A chain of n people in mixed order with a few shortcuts that nobody hears."""
    rng = random.Random(n * 1009 + seed)
    names = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(n + 1)]
    links = [f"{one}{rng.choice('->')}{two}" for one, two in pairwise(names)]
    links += [f"z{rng.choice(names)}>{rng.choice(names)}" for _ in range(n // 4)]
    rng.shuffle(links)
    return links, names[0]


SIZES = (80, 500, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
