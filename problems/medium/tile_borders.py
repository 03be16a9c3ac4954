"""Find the shortest border for each number of tiles.

topics: numbers, sieves
"""

from __future__ import annotations


def tile_borders(limit: int) -> list[int]:
    """Return the shortest borders of full rectangles made of 1, 2, ... up to `limit` tiles.

    All tiles are squares with sides of length 1 and are laid side by side, without gaps, to one
    full rectangle that uses exactly the given number of tiles. Its border is the length all around
    it. Of all rectangles with that number of tiles take the one with the shortest border: six
    tiles make 1 by 6 with border 14 or 2 by 3 with border 10, so 10 is the answer for six. The
    result has `limit` numbers, the first one for one tile. A `limit` of 0 or less gives an empty
    list.

    >>> tile_borders(6)
    [4, 6, 8, 8, 12, 10]
    >>> tile_borders(0)
    []
    """
    borders = [0] * (limit + 1)
    width = 1
    while width * width <= limit:
        # A wider rectangle that is still not wider than high always has a shorter border.
        for tiles in range(width * width, limit + 1, width):
            borders[tiles] = 2 * (width + tiles // width)
        width += 1
    return borders[1:]


def naive(limit: int) -> list[int]:
    """Same answers, trying every width for every number of tiles."""
    borders: list[int] = []
    for tiles in range(1, limit + 1):
        best = 2 + 2 * tiles
        for width in range(2, tiles):
            if tiles % width == 0:
                best = min(best, 2 * (width + tiles // width))
        borders.append(best)
    return borders


CASES = [
    (0,),
    (-3,),
    (1,),
    (2,),
    (3,),
    (4,),
    (9,),
    (10,),
    (16,),
    (17,),
    (36,),
    (60,),
    (100,),
    (150,),
]


def scaled(n: int, seed: int = 0) -> tuple[int]:
    """The limit n itself."""
    return (n,)


SIZES = (100, 1_000, 20_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
