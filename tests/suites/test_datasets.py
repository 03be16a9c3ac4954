"""Data sets come whole or not at all: mirror, cache, network, and a digest that is checked at every use."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.places import cache_dir
from cpu_codegen.schema import AssertTask, EvalPlusTask
from cpu_codegen.suites import datasets
from cpu_codegen.suites.datasets import MIRROR, DataSet, data
from cpu_codegen.suites.load import load_suite

CONTENT = b"published"
PUBLISHED = DataSet("Set.jsonl.gz", "https://example.org/Set.jsonl.gz", hashlib.sha256(CONTENT).hexdigest(), "MIT")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No mirror, an empty cache, no network."""

    def refuse(url: str, timeout: float) -> Any:
        raise urllib.error.URLError("no network in this test")

    monkeypatch.delenv(MIRROR, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.urllib.request, "urlopen", refuse)


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """The network answers with this; the list fills with what was asked for."""
    asked: list[str] = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(content)

    monkeypatch.setattr(datasets.urllib.request, "urlopen", answer)
    return asked


def test_fetched_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time needs no network."""
    asked = serve(monkeypatch, CONTENT)
    assert data(PUBLISHED) == data(PUBLISHED) == data(PUBLISHED, offline=True) == CONTENT
    assert asked == [PUBLISHED.url]


def test_another_file_is_never_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network gives has to have the digest."""
    serve(monkeypatch, b"tampered")
    with pytest.raises(IntegrityError, match="sha256"):
        data(PUBLISHED)
    assert not (cache_dir() / "datasets").exists()


def test_a_damaged_cache_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file to delete."""
    serve(monkeypatch, CONTENT)
    data(PUBLISHED)
    path = cache_dir() / "datasets" / PUBLISHED.file
    path.write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="sha256") as caught:
        data(PUBLISHED)
    assert f"delete {path}" in str(caught.value.remedy)


def test_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreachable or not allowed: the mirror is the way out."""
    for offline in (False, True):
        with pytest.raises(UnavailableError) as caught:
            data(PUBLISHED, offline=offline)
        assert MIRROR in str(caught.value.remedy)


def test_the_mirror_is_all_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its files are checked like any other; a missing one is not fetched."""
    asked = serve(monkeypatch, CONTENT)
    monkeypatch.setenv(MIRROR, str(tmp_path))
    with pytest.raises(UnavailableError, match=r"Set\.jsonl\.gz"):
        data(PUBLISHED)
    (tmp_path / PUBLISHED.file).write_bytes(b"other")
    with pytest.raises(IntegrityError, match="sha256"):
        data(PUBLISHED)
    (tmp_path / PUBLISHED.file).write_bytes(CONTENT)
    assert data(PUBLISHED) == CONTENT
    assert asked == []


def test_the_pinned_digests_are_the_published_ones(shared: Path) -> None:
    """As SHA256SUMS has them."""
    lines = (shared / "datasets" / "SHA256SUMS").read_text().split("\n")
    listed = {name: digest for digest, name in (line.split() for line in lines if line)}
    ours = (datasets.HUMANEVAL, datasets.HUMANEVAL_PLUS, datasets.MBPP_PLUS)
    assert {data_set.file: data_set.sha256 for data_set in ours} == listed


@pytest.mark.parametrize(
    ("suite", "count", "first", "kind"),
    [
        ("humaneval", 164, "HumanEval/0", AssertTask),
        ("humaneval+", 164, "HumanEval/0", EvalPlusTask),
        ("mbpp+", 378, "Mbpp/2", EvalPlusTask),
    ],
)
def test_the_suites(
    shared: Path, monkeypatch: pytest.MonkeyPatch, suite: str, count: int, first: str, kind: type
) -> None:
    """Every problem once, in the publisher's order, with what the model sees and what the judge needs."""
    monkeypatch.setenv(MIRROR, str(shared / "datasets"))
    problems = load_suite(suite)
    assert (len(problems), len({problem.id for problem in problems}), problems[0].id) == (count, count, first)
    assert all(isinstance(problem.task, kind) and problem.suite == suite for problem in problems)
    assert all(problem.entry_point in problem.statement for problem in problems)
    assert len({problem.data_hash for problem in problems}) == count
