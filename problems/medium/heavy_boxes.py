"""Find the boxes in a shed that are too heavy to lift.

topics: recursion, trees
"""

from __future__ import annotations

import random


def heavy_boxes(shed: dict, limit: int) -> list[str]:
    """Return the paths of all boxes in the shed that weigh more than `limit`.

    The shed is a dictionary from label to what bears it: a whole number of 0 or more is a loose
    thing of that weight, a dictionary is a box with things and boxes inside, in the same form. A
    box weighs 1 plus the weight of all that is inside, so an empty box weighs 1. The path of a box
    is the labels of all boxes around it from the outside in, then its own, joined by "/". Labels
    hold no "/". The shed itself is no box. A box is listed after the boxes inside it; otherwise
    the order of the dictionaries counts. `limit` is any whole number.

    >>> heavy_boxes({"saw": 9, "red": {"nails": 3, "tin": {"pins": 2}}, "jar": {}}, 2)
    ['red/tin', 'red']
    >>> heavy_boxes({"saw": 9, "jar": {}}, 0)
    ['jar']
    """
    heavy: list[str] = []

    def weigh(box: dict, path: str) -> int:
        total = 0
        for label, inside in box.items():
            if isinstance(inside, dict):
                weight = 1 + weigh(inside, path + label + "/")
                if weight > limit:
                    heavy.append(path + label)
            else:
                weight = inside
            total += weight
        return total

    weigh(shed, "")
    return heavy


CASES = [
    ({}, 0),
    ({"saw": 5}, 0),
    ({"box": {}}, 0),
    ({"box": {}}, 1),
    ({"box": {"saw": 4}}, 4),
    ({"box": {"saw": 4}}, 5),
    ({"box": {"air": 0}}, 0),
    ({"a": {"b": {"c": {}}}}, 1),
    ({"a": {"b": {"c": {}}}}, 2),
    ({"a": {"b": {"c": {"d": {}}}}}, -1),
    ({"z": {"y": 1}, "a": {"b": 1}, "m": 7}, 1),
    ({"a": {"x": {"q": 2}, "y": 1}, "x": {"q": 9}, "b": {"x": {"q": 3}}}, 3),
    ({"b": {"k": 5, "c": {"k": 1}}, "a": {"d": {"e": {"k": 6}}, "f": {}}}, 6),
    ({"": {"": {"": 3}}, " ": {"tin can": {"pin": 2}}}, 2),
    ({"a": {"b": {}, "c": {}, "d": {}}, "e": {"f": 3}}, 3),
]


def scaled(n: int, seed: int = 0) -> tuple[dict, int]:
    """A shed with n boxes, each put into one that came before, and n loose things."""
    rng = random.Random(n * 1009 + seed)
    boxes: list[dict] = [{}]
    for number in range(n):
        box: dict = {"thing": rng.randint(0, 9)}
        rng.choice(boxes)[f"box{number}"] = box
        boxes.append(box)
    return boxes[0], 12


SIZES = (100, 1_000, 8_000)
GROWTH = {"reference": "n"}
