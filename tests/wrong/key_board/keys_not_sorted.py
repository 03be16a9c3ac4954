"""Mistake: a person's keys stay in the order of the input."""

from __future__ import annotations


def key_board(holders: dict[str, str]) -> list[str]:
    keys: dict[str, list[str]] = {}
    for key, person in holders.items():
        if person:
            keys.setdefault(person, []).append(key)
    people = sorted(keys, key=lambda person: (-len(keys[person]), person))
    return [f"{person}: {','.join(keys[person])}" for person in people]
