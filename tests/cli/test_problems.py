"""`cpu-codegen problems list|show|validate|export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cpu_codegen.problem_export import canonical_solution
from cpu_codegen.sandbox import open_sandbox
from cpu_codegen.schema import AssertTask, Job, Outcome
from tests.cli.support import run_cli

GOOD = '''"""Count the ducks.

topics: strings
"""

from __future__ import annotations

import random
import re

WORD = "duck"


def _is_duck(word: str) -> bool:
    return bool(re.fullmatch(WORD, word))


def ducks(words: list[str]) -> int:
    """Return how many of the words are exactly "duck".

    >>> ducks(["duck", "goose"])
    1
    """
    return sum(1 for word in words if _is_duck(word))


def naive(words: list[str]) -> int:
    total = 0
    for word in list(words):
        total += word == "duck"
    return total


CASES = [([],)] + [(["duck"] * n + ["goose", "ducks"],) for n in range(12)]


def scaled(n: int, seed: int = 0) -> tuple:
    rng = random.Random(f"{n} {seed}")
    return ([rng.choice(["duck", "goose"]) for _ in range(n)],)


SIZES = (10, 100, 1000)
GROWTH = {"reference": "n", "naive": "n"}

WRONG = [
    "def ducks(words): return 0",
    "def ducks(words): return len(words)",
    "def ducks(words): return sum('duck' in word for word in words)",
]
'''

# promise → what to replace in the good file so that it, and as a rule nothing else, is broken
BREAKS = {
    "loads": ("import random\n", "import random\n1 / 0\n"),
    "cases": ("range(12)", "range(3)"),
    "arguments": ('["duck"] * n + ["goose", "ducks"],', '("duck",) * n,'),
    "doctests": ("    1\n    ", "    2\n    "),
    "reference passes": ("return sum(1", "words.append(random.random()); return random.random() + sum(1"),
    "naive agrees": ('word == "duck"', 'word != "goose" or len(words) == 7'),
    "work grows": ("SIZES = (10, 100, 1000)", "SIZES = (10, 11, 1000)"),
    "growth stated": ('"reference": "n"', '"reference": "n^9"'),
    "wrong answers fail": ("def ducks(words): return 0", "def ducks(words): return words.count('duck')"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good problem file."""
    (tmp_path / "easy").mkdir()
    (tmp_path / "easy" / "ducks.py").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_a_good_file_keeps_every_promise(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: validate exits 0 and says that nothing is broken; WRONG in the file stands in for a folder of wrong answers."""
    ran = run_cli(capsys, "problems", "validate", str(folder))
    assert ran.code == 0, ran.out + ran.err
    assert "9 checks of 1 problem: 9 ok, 0 broken, 0 not checked" in ran.out


@pytest.mark.parametrize("promise", BREAKS)
def test_a_broken_promise_is_named_and_exits_7(promise: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: each promise, when broken, is found, told by name, and the command exits 7."""
    old, new = BREAKS[promise]
    path = folder / "easy" / "ducks.py"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    ran = run_cli(capsys, "problems", "validate", str(folder), "-o", "json")
    assert ran.code == 7
    broken = [row["promise"] for row in json.loads(ran.out) if row["result"] == "broken"]
    assert promise in broken
    assert "broken" in ran.err


def test_without_wrong_answers_validate_says_so_and_does_not_fail(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: where no wrong answers are at hand, that promise reads "not checked"."""
    path = folder / "easy" / "ducks.py"
    path.write_text(GOOD[: GOOD.index("WRONG = [")], encoding="utf-8")
    ran = run_cli(capsys, "problems", "validate", str(folder))
    assert ran.code == 0
    assert "not checked: none at hand" in ran.out


def test_a_hostile_problem_file_does_nothing(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Claim: a problem file that attacks is run in the sandbox only: broken promises, no harm."""
    target = tmp_path / "touched"
    path = folder / "easy" / "ducks.py"
    path.write_text(
        GOOD.replace("import random\n", f"import random\nopen({str(target)!r}, 'w').close()\n"), encoding="utf-8"
    )
    ran = run_cli(capsys, "problems", "validate", str(folder))
    assert ran.code == 7
    assert not target.exists()


def test_three_of_our_own_keep_their_promises(capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: validate works on the packaged problems (CI runs it over all of them)."""
    ran = run_cli(capsys, "problems", "validate", "--ids", "ferry_peak,lowcost60/lamp_relay,crate_rounds")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.endswith("27 checks of 3 problems: 26 ok, 0 broken, 1 not checked\n")


def test_list_and_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: list gives every problem with level and title, show what a model sees and no more, --source the file."""
    listed = json.loads(run_cli(capsys, "problems", "list", str(folder), "-o", "json").out)
    assert [(row["problem"].rpartition("/")[2], row["level"], row["title"]) for row in listed] == [
        ("ducks", "easy", "Count the ducks")
    ]
    shown = run_cli(capsys, "problems", "show", "ducks", "-s", str(folder)).out
    assert 'Return how many of the words are exactly "duck"' in shown
    assert "CASES" not in shown
    assert "CASES" in run_cli(capsys, "problems", "show", "ducks", "-s", str(folder), "--source").out


def test_an_unknown_problem_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: a name that is no problem exits 2 and says how to find the names."""
    for words in (["show", "nothing"], ["validate", "--ids", "nothing"]):
        ran = run_cli(capsys, "problems", *words)
        assert ran.code == 2
        assert "problems list" in ran.err


def test_an_exported_record_is_a_task_whose_own_solution_passes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: prompt + canonical solution is a program that computes the reference's results; inputs are plain JSON."""
    out = folder / "export.jsonl"
    assert run_cli(capsys, "problems", "export", "--as", "evalplus", str(folder), "--out", str(out)).code == 0
    (record,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert set(record) == {
        "task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "atol", "contract",
    }  # fmt: skip
    assert len(record["base_input"]) == 13
    assert len(record["plus_input"]) == 3
    test = "\n".join(f"assert ducks(*{args!r}) == {args[0].count('duck')}" for args in record["base_input"])
    with open_sandbox() as box:
        program = record["prompt"] + record["canonical_solution"]
        (execution,) = box.judge([Job("export", program, "ducks", AssertTask(test))])
    assert execution.outcome is Outcome.PASSED, execution


def test_what_evalplus_cannot_express_is_left_out_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: a problem with several right answers is named with its reason, not bent into the format."""
    path = folder / "easy" / "ducks.py"
    path.write_text(GOOD + "\ndef accept(inputs, output, expected):\n    return output == expected\n", encoding="utf-8")
    ran = run_cli(capsys, "problems", "export", "--as", "evalplus", str(folder))
    assert ran.out == ""
    assert "ducks: several answers are right" in ran.err


def test_the_canonical_solution_holds_helpers_and_nothing_of_ours() -> None:
    """Claim: body first, then imports, constants and helpers; naive, CASES, scaled and their like stay out."""
    text = canonical_solution(GOOD, "ducks")
    assert text.startswith("    return sum(")
    assert "import re" in text
    assert "WORD =" in text
    assert "def _is_duck" in text
    assert not any(name in text for name in ("naive", "CASES", "scaled", "SIZES", "GROWTH", "WRONG", "__future__"))


@pytest.mark.parametrize("output", ["json", "jsonl"])
def test_a_problem_is_shown_as_one_object(folder: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    """-o json over several lines, -o jsonl on one."""
    ran = run_cli(capsys, "problems", "show", "ducks", "-s", str(folder), "-o", output)
    shown = json.loads(ran.out)
    assert (shown["entry_point"], shown["topics"]) == ("ducks", ["strings"])
    assert "def ducks" in shown["statement"]
    assert (ran.out.count("\n") == 1) == (output == "jsonl")
