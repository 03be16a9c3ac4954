"""Tell how the beams of a mobile tilt.

topics: parsing, recursion
"""

from __future__ import annotations

import random
import re


def mobile_beams(text: str) -> str:
    """Return one letter for each beam of a hanging mobile: how it tilts.

    `text` describes a part of the mobile. A part is either a weight, a whole number 0 or more like
    "7", or a beam like "{2:7 3:{1:4 1:0}}": in braces two arms, first the left and then the right
    one, with one space between them. An arm is its length (1 or more), a colon, and the part that
    hangs from it. A beam weighs as much as all weights below it together. An arm pulls with its
    length times what its part weighs. If the left arm pulls more, the letter is "L", if the right
    one does, "R", and "=" if they pull alike. Letters stand in the order of the opening braces.
    Beams may be nested very deeply. A single weight gives "".

    >>> mobile_beams("{2:3 1:{1:5 2:1}}")
    '=L'
    >>> mobile_beams("{1:{1:2 1:2} 1:5}")
    'R='
    """
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
                tilts[beam] = "L" if pull > 0 else "R"
            if waiting:
                waiting[-1].append(left_weight + right_weight)
        elif waiting:
            waiting[-1].append(int(token))
    return "".join(tilts)


def naive(text: str) -> str:
    """Same answers, adding up all weights again for each beam."""
    tokens = re.findall(r"\d+:|\d+|[{}]", text)
    tilts = ""
    for beam, opening in enumerate(tokens):
        if opening != "{":
            continue
        arms: list[int] = []
        weights: list[int] = []
        depth = 1
        spot = beam
        while depth:
            spot += 1
            token = tokens[spot]
            if token in "{}":
                depth += 1 if token == "{" else -1
            elif not token.endswith(":"):
                weights[-1] += int(token)
            elif depth == 1:
                arms.append(int(token[:-1]))
                weights.append(0)
        pull = arms[0] * weights[0] - arms[1] * weights[1]
        tilts += "=" if pull == 0 else "L" if pull > 0 else "R"
    return tilts


CASES = [
    ("0",),
    ("17",),
    ("{1:1 1:1}",),
    ("{1:2 1:1}",),
    ("{1:1 1:2}",),
    ("{2:3 3:2}",),
    ("{10:0 1:0}",),
    ("{12:10 10:13}",),
    ("{1:{1:1 1:1} 1:{1:1 1:1}}",),
    ("{1:{3:1 1:3} 2:2}",),
    ("{4:3 1:{1:{1:4 1:4} 2:4}}",),
    ("{1:{1:{1:{1:1 1:1} 1:2} 1:4} 1:8}",),
    ("{1:9 1:{1:{5:1 1:5} 9:{2:2 1:1}}}",),
    ("{3:{2:1 7:5} 2:{1:{1:9 8:0} 2:{1:0 1:0}}}",),
    ("{1:{1:{1:7 2:3} 1:{2:5 1:10}} 1:{1:1 24:1}}",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """n beams, each hanging from the one before, now on the left and now on the right."""
    rng = random.Random(n * 1009 + seed)
    heads: list[str] = []
    tails: list[str] = []
    for _ in range(n):
        one, two, weight = rng.randint(1, 9), rng.randint(1, 9), rng.randint(0, 99)
        left = rng.random() < 0.5
        heads.append(f"{{{one}:" if left else f"{{{one}:{weight} {two}:")
        tails.append(f" {two}:{weight}}}" if left else "}")
    return ("".join(heads) + "5" + "".join(reversed(tails)),)


SIZES = (60, 400, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
