"""Mistake: the pence are not padded to two digits."""

from __future__ import annotations


def menu_dots(prices: dict[str, int], width: int) -> list[str]:
    lines: list[str] = []
    for dish, pence in sorted(prices.items(), key=lambda item: (item[1], item[0])):
        price = f"{pence // 100}.{pence % 100}"
        lines.append(dish + "." * max(2, width - len(dish) - len(price)) + price)
    return lines
