"""References of one's own tasks are tried in the sandbox before a model is asked: broken ones are named, hostile ones harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.suites import own_checks
from cpu_codegen.suites.load import open_suite, open_suites
from tests.tasks.support import EVALPLUS, GOOD, HUMANEVAL, write_folder, write_lines


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that hangs is given up after a second."""
    monkeypatch.setattr(own_checks, "LOOK_S", 1.0)


def _broken(name: str, old: str, new: str) -> str:
    text = GOOD.replace("twice", name)
    assert old in text
    return text.replace(old, new)


def test_every_kind_of_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    """Claim: what cannot be judged by is left out by file, line and reason; what attacks does no harm; the good one stays."""
    harm = tmp_path / "harm"
    attack = f"import os\nos.system('touch {harm}')\nopen({str(harm)!r}, 'w')\n"
    folder = write_folder(
        tmp_path / "mine",
        twice=GOOD,
        attacks=_broken("attacks", "\n\ndef ", f"\n{attack}\n\ndef "),
        hangs=_broken("hangs", "\n\ndef ", "\nwhile True:\n    pass\n\n\ndef "),
        caseless=_broken("caseless", "CASES", "CASE"),
        raises=_broken("raises", "return [", "return 1 / 0 or ["),
        chance=_broken("chance", "return [", "import random\n    return [random.random()] + ["),
    )
    suite = open_suite(str(folder), keep_going=True)
    assert [problem.id for problem in suite.problems] == ["mine/twice"]
    assert not harm.exists()
    told = {Path(text.split(":")[0]).stem: text for text in suite.left_out}
    assert "attacks.py:8: does not load: PermissionError" in told["attacks"]
    assert "hangs.py:1: does not load: no answer within 1 s" in told["hangs"]
    assert "caseless.py:1: no CASES" in told["caseless"]
    assert "raises.py:13: case 0: ZeroDivisionError" in told["raises"]
    assert "chance.py:1: the reference fails its own tests: wrong" in told["chance"]


def test_without_keep_going_the_first_one_ends_the_command(tmp_path: Path) -> None:
    """Claim: a broken reference is a usage error that says what is expected."""
    folder = write_folder(tmp_path / "mine", twice=GOOD, caseless=_broken("caseless", "CASES", "CASE"))
    with pytest.raises(UsageError, match=r"caseless\.py:1: no CASES") as caught:
        open_suite(str(folder))
    assert "CASES = [" in (caught.value.remedy or "")


def test_lines_are_tried_too(tmp_path: Path) -> None:
    """Claim: in both layouts a reference that fails or raises and a test that passes anything are found."""
    wrong, nothing = "    return a\n", "def check(candidate):\n    candidate(1, 2)\n"
    unsolved = {k: v for k, v in HUMANEVAL.items() if k != "canonical_solution"}
    records = [
        HUMANEVAL,
        EVALPLUS,
        {**HUMANEVAL, "task_id": "3", "canonical_solution": wrong},
        {**EVALPLUS, "task_id": "4", "canonical_solution": "    return a.x\n"},
        {**unsolved, "task_id": "5", "test": nothing},
        {**unsolved, "task_id": "7", "test": "assert add(1, 2) == 3\n"},
    ]
    suite = open_suite(str(write_lines(tmp_path / "t.jsonl", *records)), keep_going=True)
    assert [problem.id for problem in suite.problems] == ["t/acme/1", "t/acme/2", "t/7"]
    told = [text.partition("t.jsonl:")[2] for text in suite.left_out]
    assert [text.partition(":")[0] for text in told] == ["3", "4", "5"]
    assert "the reference fails its own tests: wrong" in told[0]
    assert "'int' object has no attribute 'x'" in told[1]
    assert "a function that returns None passes the test" in told[2]


def test_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    """Claim: their ids would clash, so the command ends before anything is asked."""
    one, two = (write_folder(tmp_path / where / "mine", twice=GOOD) for where in ("a", "b"))
    with pytest.raises(UsageError, match="two suites are named mine"):
        open_suites([str(one), str(two)], offline=True, keep_going=False, allow_weak=False)
