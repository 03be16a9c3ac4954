"""Mistake: from two times against it does not follow that the sides are the same."""

from __future__ import annotations


def stage_sides(notes: list[str]) -> int:
    group: dict[str, int] = {}
    apart: list[tuple[str, str]] = []
    for number, note in enumerate(notes):
        one, word, two = note.split()
        group.setdefault(one, len(group) * 2)
        group.setdefault(two, len(group) * 2 + 1)
        if word == "with":
            old, new = group[one], group[two]
            group.update({name: new for name in group if group[name] == old})
        else:
            apart.append((one, two))
        if any(group[left] == group[right] for left, right in apart):
            return number
    return -1
