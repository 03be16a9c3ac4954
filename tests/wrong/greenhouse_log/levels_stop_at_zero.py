"""Mistake: a level is not allowed to drop below zero."""

from __future__ import annotations

import re


def greenhouse_log(script: str) -> list[int]:
    levels: dict[str, int] = {}
    past: list[tuple[str, int]] = []
    answers: list[int] = []
    for part in script.split(";"):
        command = part.strip(" ")
        found = re.fullmatch(r"([a-z]+)([=+-])([0-9]+)", command)
        if found:
            bed, sign, digits = found.groups()
            old = levels.get(bed, 0)
            past.append((bed, old))
            base = 0 if sign == "=" else old
            change = -int(digits) if sign == "-" else int(digits)
            levels[bed] = max(0, base + change)
        elif command == "undo" and past:
            bed, old = past.pop()
            levels[bed] = old
        elif re.fullmatch(r"[a-z]+\?", command):
            answers.append(levels.get(command[:-1], 0))
    return answers
