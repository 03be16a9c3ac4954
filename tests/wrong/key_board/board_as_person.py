"""Mistake: keys on the board are listed under an empty name."""

from __future__ import annotations


def key_board(holders: dict[str, str]) -> list[str]:
    keys: dict[str, list[str]] = {}
    for key, person in holders.items():
        keys.setdefault(person, []).append(key)
    people = sorted(keys, key=lambda person: (-len(keys[person]), person))
    return [f"{person}: {','.join(sorted(keys[person]))}" for person in people]
