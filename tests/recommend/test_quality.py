"""What run folders know: by digest and suite, plain answers alone, quickly the second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.models.quants import bits_of
from cpu_codegen.recommend import quality
from cpu_codegen.recommend.quality import best_known, own_runs
from tests.recommend.support import write_run


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """./runs of a folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def test_a_run_tells_its_scores(runs: Path) -> None:
    """pass@1 by problem, threads and rate."""
    write_run(runs / "1-a", "a@q4_k_m", "lowcost60", 10, 4, engine={"kind": "llama.cpp", "width": 1, "threads": 3})
    (found,) = own_runs()
    assert (found.suite, found.n, found.value, found.threads) == ("lowcost60", 10, 0.4, 3)
    assert found.tokens_per_s == pytest.approx(40.0)


def test_the_run_with_most_problems_counts_then_the_newest(runs: Path) -> None:
    """A quick look later does not replace a whole run."""
    write_run(runs / "1-a", "a@q4_k_m", "lowcost60", 10, 4)
    write_run(runs / "2-a", "a@q4_k_m", "lowcost60", 3, 3)
    write_run(runs / "3-a", "a@q4_k_m", "lowcost60", 10, 6)
    (best,) = best_known(own_runs()).values()
    assert Path(best.run).name == "3-a"


def test_runs_inside_a_group_count(runs: Path) -> None:
    """One folder per model under group.json."""
    write_run(runs / "g" / "a", "a@q4_k_m", "lowcost60", 4, 2)
    (runs / "g" / "group.json").write_text("{}")
    assert [one.name for one in own_runs()] == ["a@q4_k_m"]


@pytest.mark.parametrize("sha256", ["served:x:abc", "", "short"])
def test_without_a_digest_nothing_is_known(runs: Path, sha256: str) -> None:
    """A server's word is no file."""
    write_run(runs / "1-a", "a", "lowcost60", 4, 2, model={"name": "a", "sha256": sha256})
    assert own_runs() == []


def test_the_second_look_reads_no_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache holds until a folder changes."""
    write_run(runs / "1-a", "a@q4_k_m", "lowcost60", 4, 2)
    first = own_runs()
    monkeypatch.setattr(quality, "_read", lambda folder: pytest.fail(f"{folder} was read again"))
    assert own_runs() == first


def test_damaged_folders_say_nothing(runs: Path) -> None:
    """Half a manifest, results that are none."""
    (runs / "1-bad").mkdir(parents=True)
    (runs / "1-bad" / "manifest.json").write_text('{"model":')
    (runs / "1-bad" / "results.jsonl").write_text("nonsense\n")
    write_run(runs / "2-a", "a@q4_k_m", "lowcost60", 4, 2)
    assert len(own_runs()) == 1


@pytest.mark.parametrize(
    ("quant", "bits"),
    [
        ("q4_k_m", 4),
        ("iq3_xs", 3),
        ("q8_0", 8),
        ("ud-q2_k_xl", 2),
        ("tq1_0", 1),
        ("mxfp4", 4),
        ("bf16", 16),
        ("", None),
    ],
)
def test_bits_of_a_quantization(quant: str, bits: float | None) -> None:
    """As its name states them."""
    assert bits_of(quant) == bits


def test_every_published_score_has_setting_and_source() -> None:
    """Of the registry: and none is of a quantized file of somebody else's, natively small models aside."""
    specs = [spec for spec in load_catalogue().specs() if spec.published]
    assert len({spec.alias for spec in specs}) >= 40
    for spec in specs:
        for row in spec.published:
            assert row.scores, spec.name
            assert row.setting, spec.name
            assert row.source, spec.name
            assert all(0 < value <= 100 for value in row.scores.values()), spec.name
            assert "GGUF" not in row.precision, spec.name
