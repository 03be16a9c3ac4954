"""Mistake: a switch turns lamps on but never off."""

from __future__ import annotations


def lamp_wishes(start: str, switches: list[str], wishes: list[str]) -> list[bool]:
    def number(picture: str) -> int:
        return int("0" + picture.replace(".", "0").replace("*", "1"), 2)

    made = {number(start)}
    for switch in switches:
        made |= {picture | number(switch) for picture in made}
    return [number(wish) in made for wish in wishes]
