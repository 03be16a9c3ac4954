"""Mistake: a start that is in no link gives an empty dictionary."""

from __future__ import annotations

import re


def recipe_news(links: list[str], start: str) -> dict[str, int]:
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
    return days if any(start in re.split("[->]", link) for link in links) else {}
