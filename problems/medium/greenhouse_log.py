"""Replay a greenhouse watering script with undo.

topics: parsing, strings
"""

from __future__ import annotations

import random
import re


def greenhouse_log(script: str) -> list[int]:
    """Return the answers to all questions of a watering script, in order.

    Commands are separated by ";" and spaces around a command are ignored. A bed name is one or
    more letters a-z, a number is one or more digits 0-9. Every bed starts at level 0.
    "fern=5" sets the level, "fern+5" raises it and "fern-5" lowers it, also below zero. "undo"
    takes back the latest change that is not yet taken back; without one it does nothing. Undo
    itself is no change; every valid "=", "+" or "-" command is one, even if the level stays the
    same. "fern?" asks for the current level of the bed. Spaces inside a command
    make it invalid. Empty or invalid commands are skipped.

    >>> greenhouse_log("fern=5; fern-7; fern?; undo; fern?")
    [-2, 5]
    >>> greenhouse_log("undo; moss?; moss + 1")
    [0]
    """
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
            levels[bed] = base - int(digits) if sign == "-" else base + int(digits)
        elif command == "undo" and past:
            bed, old = past.pop()
            levels[bed] = old
        elif re.fullmatch(r"[a-z]+\?", command):
            answers.append(levels.get(command[:-1], 0))
    return answers


def naive(script: str) -> list[int]:
    """Same answers, replaying all changes for each question."""
    changes: list[tuple[str, str, int]] = []
    answers: list[int] = []
    for part in script.split(";"):
        command = part.strip(" ")
        found = re.fullmatch(r"([a-z]+)([=+-])([0-9]+)", command)
        if found:
            changes.append((found[1], found[2], int(found[3])))
        elif command == "undo":
            changes = changes[:-1]
        elif re.fullmatch(r"[a-z]+\?", command):
            level = 0
            for bed, sign, number in changes:
                if bed == command[:-1]:
                    if sign == "=":
                        level = number
                    else:
                        level += number if sign == "+" else -number
            answers.append(level)
    return answers


CASES = [
    ("",),
    ("a?",),
    ("undo",),
    ("a=3;a?",),
    ("a+3;undo;undo;a?",),
    ("a=3;b=4;undo;a?;b?",),
    ("a=3;a=9;undo;a?;undo;a?",),
    ("a-3;a?;a-4;a?;undo;a?",),
    (" a=1 ;; b = 2; b?;a?; ",),
    ("A=3;a=;=4;a=-2;a?;a+x;a1=5;a?",),
    ("undo+3;undo?;undo;undo?",),
    ("a=1;a?;undo;a+2;undo;a?;a+5;a?",),
    ("a=007;a+03;a?;a ?;?;a??",),
    ("a=2;b+1;a+2;undo;undo;undo;a?;b?;a+1;a?",),
    ("a=5;undo ;a?;Undo;a=4;UNDO;a?",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A script of n commands: changes, some undos and questions."""
    rng = random.Random(n * 1009 + seed)
    beds = ["fern", "moss", "ivy", "kale"]
    parts: list[str] = []
    for _ in range(n):
        bed = rng.choice(beds)
        pick = rng.random()
        if pick < 0.6:
            parts.append(f"{bed}{rng.choice('=+-')}{rng.randint(0, 99)}")
        elif pick < 0.7:
            parts.append("undo")
        else:
            parts.append(f"{bed}?")
    return ("; ".join(parts),)


SIZES = (100, 800, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
