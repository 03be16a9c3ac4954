"""Mistake: the letters stand in the order of the closing braces."""

from __future__ import annotations

import re


def mobile_beams(text: str) -> str:
    tilts: list[str] = []
    waiting: list[list[int]] = []
    for token in re.findall(r"\d+|[{}]", text):
        if token == "{":
            waiting.append([])
        elif token == "}":
            left, left_weight, right, right_weight = waiting.pop()
            pull = left * left_weight - right * right_weight
            tilts.append("=" if pull == 0 else "L" if pull > 0 else "R")
            if waiting:
                waiting[-1].append(left_weight + right_weight)
        elif waiting:
            waiting[-1].append(int(token))
    return "".join(tilts)
