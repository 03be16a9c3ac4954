"""Mistake: dishes of equal price keep the order of the dictionary."""

from __future__ import annotations


def menu_dots(prices: dict[str, int], width: int) -> list[str]:
    lines: list[str] = []
    for dish, pence in sorted(prices.items(), key=lambda item: item[1]):
        price = f"{pence / 100:.2f}"
        lines.append(dish + "." * max(2, width - len(dish) - len(price)) + price)
    return lines
