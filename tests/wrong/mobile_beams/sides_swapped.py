"""Mistake: the letter names the side that goes up."""

from __future__ import annotations

import re


def mobile_beams(text: str) -> str:
    tilts: list[str] = []
    waiting: list[list[int]] = []
    for token in re.findall(r"\d+|[{}]", text):
        if token == "{":
            waiting.append([len(tilts)])
            tilts.append("=")
        elif token == "}":
            beam, left, left_weight, right, right_weight = waiting.pop()
            pull = left * left_weight - right * right_weight
            if pull != 0:
                tilts[beam] = "R" if pull > 0 else "L"
            if waiting:
                waiting[-1].append(left_weight + right_weight)
        elif waiting:
            waiting[-1].append(int(token))
    return "".join(tilts)
