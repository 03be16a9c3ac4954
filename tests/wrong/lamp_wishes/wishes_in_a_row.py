"""Mistake: each wish begins from the one before, whether it was fulfilled or not."""

from __future__ import annotations


def lamp_wishes(start: str, switches: list[str], wishes: list[str]) -> list[bool]:
    def number(picture: str) -> int:
        return int("0" + picture.replace(".", "0").replace("*", "1"), 2)

    basis: list[int] = []
    for switch in switches:
        rest = number(switch)
        for base in basis:
            rest = min(rest, rest ^ base)
        if rest:
            basis.append(rest)
    answers: list[bool] = []
    for wish in wishes:
        rest = number(wish) ^ number(start)
        start = wish
        for base in basis:
            rest = min(rest, rest ^ base)
        answers.append(rest == 0)
    return answers
