"""Mistake: only the very last change is remembered for undo."""

from __future__ import annotations

import re


def greenhouse_log(script: str) -> list[int]:
    levels: dict[str, int] = {}
    past: tuple[str, int] | None = None
    answers: list[int] = []
    for part in script.split(";"):
        command = part.strip(" ")
        found = re.fullmatch(r"([a-z]+)([=+-])([0-9]+)", command)
        if found:
            bed, sign, digits = found.groups()
            old = levels.get(bed, 0)
            past = (bed, old)
            base = 0 if sign == "=" else old
            levels[bed] = base - int(digits) if sign == "-" else base + int(digits)
        elif command == "undo":
            if past is not None:
                levels[past[0]] = past[1]
                past = None
        elif re.fullmatch(r"[a-z]+\?", command):
            answers.append(levels.get(command[:-1], 0))
    return answers
