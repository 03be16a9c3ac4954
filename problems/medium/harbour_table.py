"""Line up the columns of a harbour notice.

topics: text formatting
"""

from __future__ import annotations

import random


def harbour_table(rows: list[list[str]]) -> list[str]:
    """Return the rows as text lines with their columns lined up.

    Each row is a list of cells of ASCII text; rows may have different lengths and cells may be
    empty. The width of a column is the length of its longest cell in any row that has a cell
    there. A cell that is a whole number (digits 0-9, with at most one "-" in front) is padded with
    spaces on the left to that width, every other cell on the right. Cells of a row are joined by
    two spaces. Then spaces at the end of each line are removed. A row without cells becomes an
    empty line. No rows give an empty list.

    >>> harbour_table([["boat", "crew"], ["Gull", "12"], ["Tern II", "-3"]])
    ['boat     crew', 'Gull       12', 'Tern II    -3']
    >>> harbour_table([["9"], [], ["100", "x"]])
    ['  9', '', '100  x']
    """
    widths: list[int] = []
    for row in rows:
        for spot, cell in enumerate(row):
            if spot == len(widths):
                widths.append(0)
            widths[spot] = max(widths[spot], len(cell))
    lines: list[str] = []
    for row in rows:
        cells: list[str] = []
        for spot, cell in enumerate(row):
            width = widths[spot]
            number = cell.removeprefix("-").isdigit()
            cells.append(cell.rjust(width) if number else cell.ljust(width))
        lines.append("  ".join(cells).rstrip(" "))
    return lines


def naive(rows: list[list[str]]) -> list[str]:
    """Same answers, measuring the column again for every cell."""
    lines: list[str] = []
    for row in rows:
        cells: list[str] = []
        for spot, cell in enumerate(row):
            width = max(len(other[spot]) for other in rows if spot < len(other))
            number = cell.removeprefix("-").isdigit()
            cells.append(cell.rjust(width) if number else cell.ljust(width))
        lines.append("  ".join(cells).rstrip(" "))
    return lines


CASES = [
    ([],),
    ([[]],),
    ([[""]],),
    ([["a"]],),
    ([["5"], ["-12"], ["--3"], ["-"]],),
    ([["-3", "x"], ["12345", "-45"], ["", "-6"], ["4-5", "y"]],),
    ([["a", "b"], ["ccc"], [], ["d", "ee", "f"]],),
    ([["", "x"], ["long", ""]],),
    ([["1.5", "7"], ["wide one", "1234"]],),
    ([["x", "1"], ["yy", "22"], ["zzz", "333"]],),
    ([["a", "", ""], ["b", "", "c"]],),
    ([["+4", "+4"], ["12345", "12345"]],),
    ([["a b ", "1"], ["c", " 2"], ["d", "333"]],),
    ([["007", "-0"], ["12345", "12"]],),
    ([["name"], ["7", "8", "9"], ["10", "800", "x"]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[str]]]:
    """n rows of zero to four cells, words and numbers."""
    rng = random.Random(n * 1009 + seed)
    words = ["gull", "tern", "north pier", "mole", "", "sound"]
    rows: list[list[str]] = []
    for _ in range(n):
        row: list[str] = []
        for _ in range(rng.randint(0, 4)):
            row.append(rng.choice(words) if rng.random() < 0.5 else str(rng.randint(-999, 9999)))
        rows.append(row)
    return (rows,)


SIZES = (60, 400, 2_000)
GROWTH = {"reference": "n", "naive": "n^2"}
