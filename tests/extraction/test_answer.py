"""Extraction keeps what models really write, and says what it repaired."""

from __future__ import annotations

import time

import pytest

from cpu_codegen.extraction.answer import MAX_BLOCKS, extract
from cpu_codegen.extraction.fences import find_blocks, strip_reasoning
from cpu_codegen.sandbox.inside.outline import outline as outline_lists
from cpu_codegen.schema import Extraction, Outline, OutlineItem

STATEMENT = 'from collections.abc import Iterator\n\n\ndef add(x: int, y: int) -> Iterator[int]:\n    """Add."""\n'


def parse(text: str) -> Outline:
    """The sandboxed parser's own function, in this process: these texts are ours."""
    items, error, line = outline_lists(text)
    return Outline(tuple(OutlineItem(i[0], i[1], i[2], tuple(i[3]), tuple(i[4]), *i[5:]) for i in items), error, line)


def run(code: str) -> object:
    """Executes extracted code (ours) and calls add(2, 3)."""
    space: dict[str, object] = {"__name__": "candidate"}
    exec(code, space)
    return space["add"](2, 3)  # type: ignore[operator]


def extracted(raw: str, *, is_completion: bool = False) -> Extraction:
    """extract() with this file's problem."""
    return extract(raw, entry_point="add", statement=STATEMENT, parse=parse, is_completion=is_completion)


BODY = "def add(x, y):\n    return x + y\n"
ANSWERS = {
    "one python fence": ("```python\n" + BODY + "```", "block"),
    "py fence with prose around": ("Sure!\n\n```py\n" + BODY + "```\nThis adds.", "block"),
    "fence without a language": ("```\n" + BODY + "```", "block"),
    "tilde fence": ("~~~python\n" + BODY + "~~~", "block"),
    "longer fence with a shorter one inside": (
        "````python\n" + 'DOC = """\n```\nx\n```\n"""\n' + BODY + "````",
        "block",
    ),
    "fence inside a list, indented": (
        "1. Do this:\n\n   ```python\n   def add(x, y):\n       return x + y\n   ```\n",
        "block",
    ),
    "crlf": (("```python\n" + BODY + "```").replace("\n", "\r\n"), "block"),
    "unclosed fence": ("```python\n" + BODY, "block"),
    "torn at the end": ("```python\n" + BODY + "\ndef broken(a):\n    return (a +", "block"),
    "no fence at all": (BODY, "bare"),
    "no fence, prose around": ("Here is the function:\n\n" + BODY + "\nIt adds two numbers.", "bare"),
    "indented in prose": ("Here:\n\n    def add(x, y):\n        return x + y\n\nDone.", "bare"),
    "body only in a fence": ("```python\n    return x + y\n```", "continuation"),
    "body only, flush left": ("```python\nreturn x + y\n```", "continuation"),
    "second block is a longer rewrite": (
        "```python\n" + BODY + "```\nOr:\n```python\ndef add(x, y):\n    z = x\n    z += y\n    return z - 1\n```",
        "block",
    ),
    "helper in an earlier block": (
        "```python\ndef plus(a, b):\n    return a + b\n```\nThen\n```python\ndef add(x, y):\n    return plus(x, y)\n```",
        "blocks",
    ),
    "an example block first": ("```\nadd(2, 3) -> 5\n```\n```python\n" + BODY + "```", "block"),
    "shell block first": ("```bash\npip install numpy\n```\n```python\n" + BODY + "```", "block"),
    "stub first, answer second": ("```python\ndef add(x, y):\n    ...\n```\n```python\n" + BODY + "```", "block"),
    "decorated helper": (
        "```python\nfrom functools import lru_cache\n\n@lru_cache(None)\ndef h(v):\n    return v\n\n"
        "def add(x, y):\n    return h(x) + y\n```",
        "block",
    ),
    "helper without return": (
        "```python\nK = []\ndef note(v):\n    K.append(v)\n\ndef add(x, y):\n    note(x)\n    return K[-1] + y\n```",
        "block",
    ),
    "tuple and augmented globals": (
        "```python\nA, B = 1, 1\nA += 1\ndef add(x, y):\n    return x + y + A - B - 1\n```",
        "block",
    ),
    "try import": (
        "```python\ntry:\n    import numpy as np\nexcept ImportError:\n    np = None\ndef add(x, y):\n    return x + y\n```",
        "block",
    ),
    "import behind the function": (
        "```python\ndef add(x, y):\n    return math.floor(x) + y\nimport math\n```",
        "block",
    ),
    "lambda": ("```python\nadd = lambda x, y: x + y\n```", "block"),
    "tabs and spaces mixed": ("```python\ndef add(x, y):\n\tif x:\n        return x + y\n```", "block"),
    "interpreter session": ("```python\n>>> def add(x, y):\n...     return x + y\n```", "block"),
    "main guard": ("```python\n" + BODY + "\nif __name__ == '__main__':\n    raise SystemExit(1)\n```", "block"),
    "example calls at the end": ("```python\n" + BODY + "\nprint(add(int(input()), 2))\n```", "block"),
    "asserts at the end": ("```python\n" + BODY + "\nassert add(1, 1) == 3\n```", "block"),
    "reasoning tags": (
        "<think>\n```python\ndef add(x, y):\n    return 0\n```\nno, wrong\n</think>\n```python\n" + BODY + "```",
        "block",
    ),
    "closing reasoning tag only": (
        "I think\n```python\ndef add(x, y):\n    return 0\n```\n</think>\n```python\n" + BODY + "```",
        "block",
    ),
    "unclosed reasoning": ("<think>\nx = 1\n```python\n" + BODY + "```", "reasoning"),
    "byte order mark": ("\ufeff```python\n" + BODY + "```", "block"),
    "terminal colours": ("\x1b[32m```python\x1b[0m\n" + BODY + "```", "block"),
    "a fence within the docstring": (
        "```python\ndef add(x, y):\n    '''Adds.\n\n    ```\n    add(1, 2)\n    ```\n    '''\n    return x + y\n```",
        "block",
    ),
    "the same, flush left": (
        "```python\ndef add(x, y):\n    '''Adds.\n```\nadd(1, 2)\n```\n    '''\n    return x + y\n```",
        "blocks",
    ),
    "a fence within a fence": ("```\n```python\n" + BODY + "```\n```", "block"),
    "a quotation": ("> ```python\n> def add(x, y):\n>     return x + y\n> ```", "block"),
    "a reasoning tag in a text of the program": (
        "```python\nTAG = '<think>'\n" + BODY + "END = '</think>'\n```",
        "block",
    ),
    "reasoning twice": (
        "<think>a</think>\nSo:\n<think>\n```python\ndef add(x, y):\n    return 0\n```\n</think>\n```python\n"
        + BODY
        + "```",
        "block",
    ),
    "an open fence in the reasoning": ("hmm\n```python\nadd(\n</think>\n```python\n" + BODY + "```", "block"),
    "a byte order mark within": ("```python\n\ufeff" + BODY + "```", "block"),
    "spaces of another kind": ("```python\ndef add(x, y):\n\xa0\xa0\xa0\xa0return x +\u200b y\n```", "block"),
    "a line separator in a text": ("```python\nMARK = 'a\u2028b'\n" + BODY + "```", "block"),
    "input for the example": ("```python\n" + BODY + "\nx = int(input())\nprint(add(x, 2))\n```", "block"),
    "the 61st block": ("```python\nz = 1\n```\n" * 60 + "```python\n" + BODY + "```", "block"),
    "chinese prose": ("这是代码：\n```python\n" + BODY + "```\n谢谢", "block"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_models_write_runs_and_is_right(name: str) -> None:
    """Each shape of a right answer stays a right answer, by the rule that is meant for it."""
    raw, how = ANSWERS[name]
    found = extracted(raw)
    assert run(found.code) == 5
    assert found.how == how


@pytest.mark.parametrize(
    "raw", ["", "I cannot do that.\nSorry.", "```\n```", "<think>\nhmm", "   \n\n", "```bash\nls\n```"]
)
def test_no_code_is_said_to_be_none(raw: str) -> None:
    """Prose, empty fences and shell commands are no program."""
    assert extracted(raw).code == ""


def test_the_output_contract_is_judged() -> None:
    """One closed Python block that defines the entry point keeps it; two blocks, no fence, an open fence do not."""
    assert extracted("Text.\n```python\n" + BODY + "```\nMore.").format_ok
    for name in (
        "second block is a longer rewrite",
        "no fence at all",
        "unclosed fence",
        "unclosed reasoning",
        "shell block first",
    ):
        assert not extracted(ANSWERS[name][0]).format_ok
    assert not extracted("```python\ndef other():\n    return 1\n```").format_ok


def test_the_prompts_import_is_added_where_the_code_needs_it() -> None:
    """Models repeat the signature without its import; the prompt had it. Their own missing imports stay missing."""
    found = extracted("```python\ndef add(x: int, y: int) -> Iterator[int]:\n    return x + y\n```")
    assert found.code.startswith("from collections.abc import Iterator\n")
    assert "imports of the prompt added" in found.notes
    assert "import math" not in extracted("```python\ndef add(x, y):\n    return math.floor(x) + y\n```").code


def test_imports_of_the_prompt_go_behind_future_imports() -> None:
    """A program with a __future__ import stays one."""
    found = extracted(
        "```python\nfrom __future__ import annotations\ndef add(x, y) -> Iterator[int]:\n    return x + y\n```"
    )
    compile(found.code, "x", "exec")
    assert "Iterator" in found.code.split("\n")[1]


def test_a_wrong_name_stays_wrong() -> None:
    """The entry point is never renamed for the model: the code is kept and will fail."""
    found = extracted("```python\ndef sum_two(x, y):\n    return x + y\n```")
    assert found.how == "fallback"
    assert "sum_two" in found.code
    assert "add" not in found.code


def test_a_base_model_goes_on_after_the_statement() -> None:
    """Completion: statement + answer, cut where another top-level thing begins to break it."""
    found = extracted("    return x + y\n\nWell, that was easy\n", is_completion=True)
    assert run(found.code) == 5
    assert found.how == "continuation"


def test_a_dropped_example_never_drops_a_setting() -> None:
    """sys.setrecursionlimit behind the function is no example."""
    found = extracted("```python\nimport sys\n" + BODY + "sys.setrecursionlimit(5000)\n```")
    assert "setrecursionlimit" in found.code


@pytest.mark.parametrize(
    "hostile",
    [
        "```python\n" * 20_000,
        "def add(x, y):\n" * 20_000,
        "<think>" * 50_000,
        ("prose line that is no code at all\n" * 40_000) + BODY,
        "`" * 1_000_000,
        ("x = (\n") * 30_000,
        ">>> " * 100_000,
        "```python\n" + "    " * 200_000 + "\n```",
    ],
    ids=range(8),
)
def test_hostile_text_ends_soon(hostile: str) -> None:
    """A megabyte of anything takes seconds at most (EvalPlus needs 65 s for 800 lines)."""
    began = time.monotonic()
    extracted(hostile)
    assert time.monotonic() - began < 20


def test_blocks_and_reasoning_are_found_by_line() -> None:
    """Offsets point behind the closing fence: early stop cuts there."""
    text = "a\n```python\nx = 1\n```\nb"
    (block,) = find_blocks(text)
    assert text[: block.end] == "a\n```python\nx = 1\n```\n"
    assert strip_reasoning("<think>a</think>b") == ("b", "a", False)
    assert strip_reasoning("x<think>a") == ("x", "a", True)


def test_a_flood_of_fences_is_given_up() -> None:
    """However long the answer: at most MAX_BLOCKS blocks are looked at."""
    asked: list[str] = []

    def counting(text: str) -> Outline:
        asked.append(text)
        return parse(text)

    flood = "".join(f"```python\n) # {i}\n```\n" for i in range(20_000))
    found = extract(flood, entry_point="add", statement=STATEMENT, parse=counting)
    assert found.how == "fallback"
    assert len(asked) < 5 * MAX_BLOCKS
