"""Count pairs of lamp panels that look almost the same.

topics: bit work, counting
"""

from __future__ import annotations

import random


def near_panels(panels: list[int], faulty: int) -> int:
    """Return how many pairs of panels look different in exactly one lamp.

    A panel is a whole number from 0 to 1023. Written in binary with ten digits, each digit is one
    lamp: 1 is on, 0 is off. `faulty` is such a number too: where it has a 1, the lamp at the same
    digit is broken on all panels and looks off everywhere, whatever the panel says. Two panels
    make a pair if exactly one of the ten lamps looks on at one of them and off at the other. Any
    two places in the list are compared, once, however far apart they stand. Panels may repeat, and
    each of the repeated panels counts on its own.

    >>> near_panels([0b0001, 0b0011, 0b1000], 0b0000)
    1
    >>> near_panels([0b0001, 0b0011, 0b1000], 0b1000)
    2
    """
    seen: dict[int, int] = {}
    pairs = 0
    for panel in panels:
        look = panel & ~faulty
        for lamp in range(10):
            pairs += seen.get(look ^ (1 << lamp), 0)
        seen[look] = seen.get(look, 0) + 1
    return pairs


def naive(panels: list[int], faulty: int) -> int:
    """Same answers, comparing every panel with every later one."""
    pairs = 0
    for spot, panel in enumerate(panels):
        for other in panels[spot + 1 :]:
            if ((panel ^ other) & ~faulty).bit_count() == 1:
                pairs += 1
    return pairs


CASES = [
    ([], 0),
    ([5], 0),
    ([5, 5], 0),
    ([5, 4], 0),
    ([5, 4], 1),
    ([5, 4], 1023),
    ([5, 6], 1),
    ([4, 5, 4, 5], 0),
    ([7, 7, 6, 5, 3], 0),
    ([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512], 0),
    ([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512], 640),
    ([1023, 511, 1022, 0], 0),
    ([3, 2, 1, 0], 4),
    ([3, 4, 7, 8], 0),
    ([96, 97, 98, 99, 100, 96], 2),
    ([512, 0, 512, 0], 511),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int]:
    """n panels with up to two broken lamps."""
    rng = random.Random(n * 1009 + seed)
    panels = [rng.randrange(1024) for _ in range(n)]
    return panels, (1 << rng.randrange(10)) | (1 << rng.randrange(10))


SIZES = (100, 800, 6_000)
GROWTH = {"reference": "n", "naive": "n^2"}
