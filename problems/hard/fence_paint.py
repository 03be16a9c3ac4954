"""Describe a fence after many painting orders.

topics: parsing, text formatting
"""

from __future__ import annotations

import random


def fence_paint(posts: int, orders: list[str]) -> str:
    """Return the colours of a fence as text, run by run from left to right.

    The posts are numbered 1 to `posts` (0 or more) and start with the colour "bare". An order is
    "3-7 red" or "4 blue": a range with both ends included, or one post, then a space and a colour
    word, also "bare". The ends of a range may come in either order. Numbers are whole and not negative; posts
    that do not exist are left out silently. Orders are done one after another, and new paint
    covers old. Neighbouring posts of the same final colour form one run, whichever orders painted
    them. A run is written "3-7 red", or "4 blue" for a single post; runs are joined by ", ".

    >>> fence_paint(6, ["5-2 red", "4 blue", "5-9 blue"])
    '1 bare, 2-3 red, 4-6 blue'
    >>> fence_paint(0, ["1 red"])
    ''
    """
    colours = ["bare"] * (posts + 2)
    jump = list(range(posts + 2))  # the next post that may still be without paint
    for order in reversed(orders):
        span, colour = order.split()
        ends = [int(end) for end in span.split("-")]
        post = max(min(ends), 1)
        last = min(max(ends), posts)
        while post <= last:
            if jump[post] == post:
                colours[post] = colour
                jump[post] = post + 1
            else:
                jump[post] = jump[jump[post]]
            post = jump[post]
    runs: list[str] = []
    first = 1
    for post in range(1, posts + 1):
        if post == posts or colours[post] != colours[post + 1]:
            span = f"{first}-{post}" if first < post else str(post)
            runs.append(f"{span} {colours[post]}")
            first = post + 1
    return ", ".join(runs)


def naive(posts: int, orders: list[str]) -> str:
    """Same answers, painting every post of every order."""
    colours = ["bare"] * (posts + 1)
    for order in orders:
        span, colour = order.split()
        ends = [int(end) for end in span.split("-")]
        for post in range(max(min(ends), 1), min(max(ends), posts) + 1):
            colours[post] = colour
    runs: list[str] = []
    first = 1
    for post in range(1, posts + 1):
        if post == posts or colours[post] != colours[post + 1]:
            span = f"{first}-{post}" if first < post else str(post)
            runs.append(f"{span} {colours[post]}")
            first = post + 1
    return ", ".join(runs)


CASES = [
    (0, []),
    (0, ["0-5 red"]),
    (1, []),
    (1, ["1 red"]),
    (3, []),
    (3, ["0 red", "4 red", "0-9 blue"]),
    (5, ["2-4 red", "3 blue"]),
    (5, ["3 blue", "2-4 red"]),
    (6, ["4-2 red", "6-5 red", "1-1 red"]),
    (6, ["1-3 red", "4-6 red"]),
    (6, ["1-6 red", "2-5 blue", "3-4 red"]),
    (6, ["1-6 red", "3-4 bare", "6 bare"]),
    (8, ["7-20 tan", "0-2 tan", "5-5 Tan"]),
    (12, ["9-11 red", "10 blue", "10 red", "2-10 grey", "12 red"]),
    (4, ["9-6 red", "0-0 blue", "2-3 green"]),
]


def scaled(n: int, seed: int = 0) -> tuple[int, list[str]]:
    """n posts and n orders of random ranges."""
    rng = random.Random(n * 1009 + seed)
    orders: list[str] = []
    for _ in range(n):
        colour = rng.choice(["red", "blue", "tan", "bare"])
        orders.append(f"{rng.randint(0, n)}-{rng.randint(1, n + 2)} {colour}")
    return n, orders


SIZES = (60, 500, 3_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
