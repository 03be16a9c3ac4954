"""Mistake: boxes inside do not add to the weight."""

from __future__ import annotations


def heavy_boxes(shed: dict, limit: int) -> list[str]:
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
