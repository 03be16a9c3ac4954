"""Print a cafe menu with dotted lines.

topics: text formatting, strings
"""

from __future__ import annotations

import random


def menu_dots(prices: dict[str, int], width: int) -> list[str]:
    """Return the lines of a cafe menu, cheapest dish first.

    `prices` maps each dish to its price in pence, 0 or more. Dishes of equal price stand in
    alphabetical order (ordinary comparison of strings). A line is the dish name, then dots, then
    the price in pounds with exactly two digits after the point: 5 pence is "0.05" and 1250 pence
    is "12.50". There are just enough dots to make the line `width` characters long, but never
    fewer than two dots, so a line may become longer than `width`. No spaces are added. An empty
    menu gives an empty list.

    >>> menu_dots({"tea": 180, "pie": 95}, 12)
    ['pie.....0.95', 'tea.....1.80']
    >>> menu_dots({"plum cake": 1005}, 10)
    ['plum cake..10.05']
    """
    lines: list[str] = []
    for dish, pence in sorted(prices.items(), key=lambda item: (item[1], item[0])):
        price = f"{pence // 100}.{pence % 100:02d}"
        dots = max(2, width - len(dish) - len(price))
        lines.append(dish + "." * dots + price)
    return lines


def naive(prices: dict[str, int], width: int) -> list[str]:
    """Same answers, searching the cheapest dish that is left again and again."""
    left = dict(prices)
    lines: list[str] = []
    while left:
        dish = min(left, key=lambda name: (left[name], name))
        pence = left.pop(dish)
        price = f"{pence // 100}.{pence % 100:02d}"
        lines.append(dish + "." * max(2, width - len(dish) - len(price)) + price)
    return lines


CASES = [
    ({}, 10),
    ({"tea": 0}, 10),
    ({"tea": 5}, 0),
    ({"tea": 100}, 9),
    ({"tea": 100}, 8),
    ({"tea": 100}, 10),
    ({"soup": 300, "bun": 300, "Ale": 300}, 14),
    ({"stew": 1000, "bun": 95, "rice": 250}, 14),
    ({"": 250}, 8),
    ({"b": 10, "a": 20}, 7),
    ({"roast chestnuts": 450, "jam": 99}, 12),
    ({"feast": 123456}, 20),
    ({"z": 7, "y": 70, "x": 700, "w": 7}, 9),
]


def scaled(n: int, seed: int = 0) -> tuple[dict[str, int], int]:
    """A menu of n dishes with many equal prices."""
    rng = random.Random(n * 1009 + seed)
    names = [f"dish {spot}" for spot in range(n)]
    rng.shuffle(names)
    return {name: rng.randint(0, 20 + n // 2) for name in names}, rng.randint(8, 30)


SIZES = (100, 600, 2_400)
GROWTH = {"reference": "n log n", "naive": "n^2"}
