"""Mistake: only one switch or a pair of switches is tried."""

from __future__ import annotations


def lamp_wishes(start: str, switches: list[str], wishes: list[str]) -> list[bool]:
    def number(picture: str) -> int:
        return int("0" + picture.replace(".", "0").replace("*", "1"), 2)

    codes = [0, *map(number, switches)]
    made = {number(start) ^ one ^ two for one in codes for two in codes}
    return [number(wish) in made for wish in wishes]
