"""Mistake: spaces inside a command are removed instead of making it invalid."""

from __future__ import annotations

import re


def greenhouse_log(script: str) -> list[int]:
    levels: dict[str, int] = {}
    past: list[tuple[str, int]] = []
    answers: list[int] = []
    for command in script.replace(" ", "").split(";"):
        found = re.fullmatch(r"([a-z]+)([=+-])([0-9]+)", command)
        if found:
            bed, sign, digits = found.groups()
            old = levels.get(bed, 0)
            past.append((bed, old))
            base = 0 if sign == "=" else old
            levels[bed] = base - int(digits) if sign == "-" else base + int(digits)
        elif command == "undo" and past:
            bed, old = past.pop()
            levels[bed] = old
        elif re.fullmatch(r"[a-z]+\?", command):
            answers.append(levels.get(command[:-1], 0))
    return answers
