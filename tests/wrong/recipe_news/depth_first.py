"""Mistake: people are visited in depth first, so some days come out too late."""

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
    while queue:
        name = queue.pop()
        for friend in tells.get(name, []):
            if friend not in days:
                days[friend] = days[name] + 1
                queue.append(friend)
    return days
