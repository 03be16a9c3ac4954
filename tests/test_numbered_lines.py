"""The reader that tasks, samples and attacks share: every bad line is named, with what to do."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.numbered_lines import can_be_read_once_only, kept, numbered_lines

SHAPE = '{"id": "…"}'
GOOD = b'{"id": "a"}\n'


def records(path: Path) -> list[tuple[int, object]]:
    """Number and object of each line."""
    return [(line.number, line.record()) for line in numbered_lines(path, max_bytes=1 << 20, shape=SHAPE)]


def test_blank_lines_count_and_are_passed_over(tmp_path: Path) -> None:
    """Numbers are those that an editor shows."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\n  \r\n" + b'{"id": "b"}\r\n' + b'{"id": "c"}')
    assert records(path) == [(1, {"id": "a"}), (4, {"id": "b"}), (5, {"id": "c"})]


def test_gzip_is_known_by_its_bytes(tmp_path: Path) -> None:
    """Whatever the file is called; and a file of another kind is not taken for it."""
    for name in ("x.jsonl", "x.jsonl.gz"):
        (tmp_path / name).write_bytes(gzip.compress(GOOD * 2))
        assert len(records(tmp_path / name)) == 2
    (tmp_path / "plain.jsonl.gz").write_bytes(GOOD)
    assert len(records(tmp_path / "plain.jsonl.gz")) == 1


@pytest.mark.parametrize(
    ("line", "says", "try_"),
    [
        (b"{nope}\n", "not JSON", "line 2"),
        (b'{"id": "a', "ends in the middle", "line 2"),
        (b'{"id": "\xff"}\n', "not UTF-8 (byte 9)", "line 2"),
        (b'{"id": "\0"}\n', "NUL", "line 2"),
        (b"[" * 100_000 + b"\n", "not JSON", "line 2"),
        (b"3\n", "no JSON object", SHAPE),
        (b"{nope}\n", "double quotes, column 2)", "line 2"),
        (b"{\n", "over several lines", "jq -c"),
        (b'{"id": "' + b"x" * (2 << 20) + b'"}\n', "over 1 MiB", "line 2"),
        (b'{"id": ' + b"9" * 10_000 + b"}\n", "not JSON", "line 2"),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(tmp_path: Path, line: bytes, says: str, try_: str) -> None:
    """File, line, what is wrong, what to do."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(GOOD + line)
    with pytest.raises(UsageError, match=r"x\.jsonl:2: ") as caught:
        records(path)
    assert says in str(caught.value)
    assert try_ in str(caught.value.remedy)


def test_windows_other_encoding_is_named(tmp_path: Path) -> None:
    """PowerShell's `>` writes UTF-16, every second byte of which is a NUL."""
    (tmp_path / "x.jsonl").write_bytes(GOOD.decode().encode("utf-16"))
    with pytest.raises(UsageError, match=r"x\.jsonl:1: UTF-16") as caught:
        records(tmp_path / "x.jsonl")
    assert "iconv" in str(caught.value.remedy)


def test_what_is_no_file_is_a_usage_error(tmp_path: Path) -> None:
    """A folder, and a path that is not there."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="cannot read") as caught:
            records(path)
        assert SHAPE in str(caught.value.remedy)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    """`score` reads its samples twice, which a pipe does not allow."""
    read, write = os.pipe()
    os.write(write, GOOD * 3)
    os.close(write)
    pipe = Path(f"/dev/fd/{read}")
    if not pipe.exists():
        pytest.skip("no /dev/fd here")
    assert can_be_read_once_only(pipe)
    assert not can_be_read_once_only(tmp_path)
    with kept(pipe) as copy:
        assert len(records(copy)) == len(records(copy)) == 3
    os.close(read)
    assert not copy.exists()
