"""`problems new`: a problem file with blanks. Each blank bears lowcost60.BLANK, so that what is left to write is found by line."""

from __future__ import annotations

from keyword import iskeyword
from pathlib import Path

from cpu_codegen.errors import UsageError
from cpu_codegen.schema import Level
from cpu_codegen.suites.lowcost60 import BLANK

FOLDER = Path("my_tasks")
_TAKEN = frozenset(("naive", "scaled", "accept", "CASES", "SIZES", "GROWTH", "WRONG"))

_TEMPLATE = '''"""@@ a title of a few words.

topics: @@ strings, lists
"""

from __future__ import annotations

import random


# @@ the parameters and their types, in the line below (then delete this line)
def SLUG(values: list[int], limit: int) -> list[int]:
    """@@ one sentence that says what the function returns.

    @@ the contract without gaps: what the input may hold (empty, negative, repeated, unsorted), what comes back for each
    special case, the order of the result, how ties break. A model sees the signature and this text, nothing else.

    >>> SLUG([3, 1, 2], 2)
    @@ the result
    """
    raise NotImplementedError("@@ the reference: correct, of the growth stated below")


CASES = [  # @@ at least 12 tuples of arguments, the edges that break plausible answers first (then delete this remark)
    ([], 0),
    ([3, 1, 2], 2),
]


def scaled(n: int, seed: int = 0) -> tuple:
    """Arguments of size n, the same for equal (n, seed)."""
    rng = random.Random(f"{n} {seed}")
    return ([rng.randint(-n, n) for _ in range(n)], n)  # @@ inputs that make the work grow with n (then delete this remark)


SIZES = (200, 2_000, 20_000)  # @@ the reference takes 1-100 ms of CPU time at the largest (then delete this remark)
GROWTH = {"reference": "n"}  # @@ 1, log n, n, n log n, n sqrt n, n^2, n^2 log n, n^3 or 2^n (then delete this remark)

WRONG = [  # complete programs with one plausible mistake each; every one must fail a case
    "@@ def SLUG(values, limit): return values",
    "@@ another",
    "@@ another",
]
'''


def new_problem(slug: str) -> str:
    """The text of a new problem file whose function is `slug`. UsageError for a name that can be no function's."""
    if not slug.isidentifier() or iskeyword(slug) or slug in _TAKEN or slug.startswith("_"):
        raise UsageError(f"{slug!r} can be no problem's name", remedy="a function's name: tidy_rows")
    return _TEMPLATE.replace("@@", BLANK).replace("SLUG", slug)


def new_path(problem_id: str, folder: Path | None, level: Level | None) -> Path:
    """Where the file goes: `my_tasks/tidy_rows` and `tidy_rows` both stand for ./my_tasks/tidy_rows.py.

    A suite's ids begin with its folder's name, so what stands before the slash is the folder, unless `folder` says otherwise.
    """
    before, _, slug = problem_id.rpartition("/")
    where = folder or (Path(before) if before else FOLDER)
    return (where / level if level else where) / f"{slug}.py"
