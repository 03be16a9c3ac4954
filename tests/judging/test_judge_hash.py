"""For what a stored verdict holds: another judge judges anew, another generation does not."""

from __future__ import annotations

import platform
from dataclasses import replace

import pytest

from cpu_codegen.columns import execute
from cpu_codegen.columns.execute import judge_hash
from cpu_codegen.config import Settings
from cpu_codegen.judge import JUDGE_VERSION
from cpu_codegen.schema import Limits, Sampling
from cpu_codegen.scoring import verdicts
from cpu_codegen.store import digest, plain


def test_what_decides_a_verdict_enters_its_key() -> None:
    """Comparator, extraction, each limit, numpy's version; not what only the generation depends on."""
    settings, versions = Settings(), {"numpy": "2.4.6"}
    known = judge_hash(settings, versions)
    limits = settings.limits
    others = [
        judge_hash(replace(settings, comparator="evalplus"), versions),
        judge_hash(replace(settings, extract="evalplus"), versions),
        judge_hash(replace(settings, limits=replace(limits, wall_s=limits.wall_s + 1)), versions),
        judge_hash(replace(settings, limits=replace(limits, memory_bytes=limits.memory_bytes + 1)), versions),
        judge_hash(settings, {"numpy": "2.4.7"}),
    ]
    assert len({known, *others}) == 1 + len(others)
    assert known == judge_hash(
        Settings(seed=9, max_tokens=7, sampling=Sampling(temperature=0.8), limits=Limits()), versions | {"psutil": "7"}
    )


def test_a_mended_rule_judges_anew_in_runs_and_in_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever mends a rule raises JUDGE_VERSION: no verdict under the old rule answers for the new one."""

    def keys() -> tuple[str, str]:
        return judge_hash(Settings(), {"numpy": "2.4.6"}), verdicts.judge_key("humaneval+", "evalplus", Limits())

    before = keys()
    assert before == keys()
    for module in (execute, verdicts):
        monkeypatch.setattr(module, "JUDGE_VERSION", module.JUDGE_VERSION + 1)
    assert not set(before) & set(keys())


def test_the_first_codec_is_in_no_hash_and_a_later_one_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts of older folders stay; values that are written otherwise are judged anew."""
    before = judge_hash(Settings(), {"numpy": "2.4.6"})
    settings, python = Settings(), ".".join(platform.python_version_tuple()[:2])
    parts = (JUDGE_VERSION, settings.comparator, plain(settings.limits), settings.extract, python, "2.4.6")
    assert before == digest("judge", *parts)
    monkeypatch.setattr(execute, "CODEC_VERSION", 2)
    assert judge_hash(Settings(), {"numpy": "2.4.6"}) != before
