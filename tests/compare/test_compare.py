"""Runs compared: like with like, paired by problem, with a verdict only where the data give one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.compare import pair
from cpu_codegen.compare_factors import family, quantization
from cpu_codegen.compare_runs import compare_runs, ladders, read_run, style_steps
from cpu_codegen.compare_tables import ladder_table
from cpu_codegen.errors import CheckFailed, UsageError
from cpu_codegen.store import RunFolder

BOTH, FIRST, SECOND, NEITHER = "both", "first", "second", "neither"


def sample(problem: int, *, passed: bool, **fields: Any) -> dict[str, Any]:
    """A sample as report/samples.py joins it."""
    return {
        "key": f"k{problem}",
        "problem_id": f"own/{problem}",
        "suite": "own",
        "level": "easy",
        "style": "plain",
        "index": 0,
        "outcome": "passed" if passed else "wrong",
        "cost_s": 1.0,
        "completion_tokens": 100,
        "peak_rss_bytes": 1_000_000,
        "width": 1,
        "efficiency": None,
        **fields,
    }


def measured(ratio: float, status: str = "measured") -> dict[str, Any]:
    """A measurement with a ratio."""
    return {"status": status, "cpu_ratio": {"value": ratio, "low": ratio, "high": ratio, "n": 7}}


def test_correctness_is_paired() -> None:
    """Ten problems solved by the other alone and none by the baseline are better; the gain and loss are counted."""
    baseline = [sample(i, passed=i < 20) for i in range(40)]
    other = [sample(i, passed=i < 30) for i in range(40)]
    found = pair(baseline, other)
    assert (found.gained, found.lost, found.problems) == (10, 0, 40)
    assert found.correctness.verdict == "better"
    assert found.correctness.estimate is not None
    assert found.correctness.estimate.value == pytest.approx(0.25)
    assert pair(other, baseline).correctness.verdict == "worse"


def test_few_flips_are_no_difference() -> None:
    """Two problems more of forty say nothing, and the note says what forty problems can show."""
    found = pair([sample(i, passed=i < 20) for i in range(40)], [sample(i, passed=i < 22) for i in range(40)])
    assert found.correctness.verdict == "no_difference"
    assert "40 problems show differences of" in found.correctness.note


def test_only_common_problems_count() -> None:
    """Problems of one side and samples that met a harness error are left out."""
    baseline = [sample(i, passed=True) for i in range(10)]
    other = [sample(i, passed=True) for i in range(5, 15)]
    other[0] = {**other[0], "outcome": "harness_error"}
    assert pair(baseline, other).problems == 4
    nothing = pair(baseline, [sample(99, passed=True)])
    assert nothing.correctness.verdict is None
    assert nothing.correctness.note == "no problem in common"


def test_costs_are_ratios_of_problems() -> None:
    """Half the seconds on every problem is better; equal tokens are no difference; energy says why it is missing."""
    baseline = [sample(i, passed=True, cost_s=1.0 + i) for i in range(12)]
    other = [sample(i, passed=True, cost_s=(1.0 + i) / 2) for i in range(12)]
    found = pair(baseline, other, why_no_energy="no RAPL")
    seconds = found.metric("seconds")
    assert seconds.verdict == "better"
    assert seconds.estimate is not None
    assert seconds.estimate.value == pytest.approx(0.5)
    assert found.metric("tokens").verdict == "no_difference"
    assert found.metric("energy").estimate is None
    assert found.metric("energy").note == "not measured: no RAPL"


def test_width_is_said_not_refused() -> None:
    """Seconds from batches of different width carry a note."""
    found = pair([sample(1, passed=True)], [sample(1, passed=True, width=8)])
    assert found.metric("seconds").note.startswith("width 1 v 8")


def test_code_is_compared_where_both_solved() -> None:
    """Only problems that both solved and measured enter; a censored one counts with its bound and is mentioned."""
    baseline = [sample(i, passed=True, efficiency=measured(1.0)) for i in range(8)]
    other = [sample(i, passed=i != 0, efficiency=measured(3.0) if i else None) for i in range(8)]
    other[1]["efficiency"] = measured(30.0, "censored")
    code = pair(baseline, other).metric("code CPU time")
    assert code.estimate is not None
    assert code.estimate.n == 7
    assert code.verdict == "worse"
    assert code.note == "1 program ran into the limit and counts with it"


MANIFEST: dict[str, Any] = {
    "schema": 1,
    "status": "finished",
    "model": {"sha256": "a", "name": "tiny-Q4_K_M.gguf", "alias": "tiny", "quant": "Q4_K_M", "size_bytes": 400},
    "settings": {"seed": 0, "max_tokens": 256, "sampling": {"temperature": 0.0}},
    "judging": {"comparator": "strict"},
    "template_hash": "t",
    "prompts": {"plain": {"sha256": "p", "version": 1, "completion": False}},
    "suites": {"own": {"hash": "s", "order": []}},
    "machine": {"id": "m", "cpu": "a laptop"},
    "sessions": [],
    "scope": {"problems": [], "styles": ["plain"], "n": 1},
}


def write_run(
    path: Path, solved: int, *, styles: tuple[str, ...] = ("plain",), problems: int = 40, **changes: Any
) -> Path:
    """A run folder where the first `solved` problems passed."""
    with RunFolder(path, writable=True) as folder:
        folder.write_manifest({**MANIFEST, **changes})
        for style in styles:
            for problem in range(problems):
                one = sample(problem, passed=problem < solved, style=style, key=f"{style}{problem}", prompt_hash="h")
                generation = {k: v for k, v in one.items() if k not in ("outcome", "efficiency")}
                folder.append("generations", {**generation, "finish_reason": "eos", "text": ""})
                verdict = {k: one[k] for k in ("problem_id", "suite", "level", "style", "index", "outcome")}
                folder.append(
                    "results",
                    {**verdict, "key": f"r{one['key']}", "generation": one["key"], "code": "x", "format_ok": True},
                )
    return path


def model(quant: str, size: int, alias: str = "tiny") -> dict[str, Any]:
    """A manifest's model."""
    return {
        "sha256": quant + alias,
        "name": f"{alias}-{quant}.gguf",
        "alias": alias,
        "quant": quant,
        "size_bytes": size,
    }


def test_the_model_is_the_factor(tmp_path: Path) -> None:
    """Two models under one set of settings compare without a flag, and the heading names both."""
    runs = [read_run(write_run(tmp_path / "a", 20)), read_run(write_run(tmp_path / "b", 35, model=model("Q8_0", 800)))]
    (found,) = compare_runs(runs)
    assert [d.name for d in found.differing] == ["model"]
    assert found.pairing.correctness.verdict == "better"


def test_one_setting_is_a_factor_two_are_not(tmp_path: Path) -> None:
    """One differing setting heads the table; two, or another machine, need --across, which names them."""
    one = {**MANIFEST["settings"], "max_tokens": 512}
    two = {**one, "seed": 3}
    first = read_run(write_run(tmp_path / "a", 20))
    (found,) = compare_runs([first, read_run(write_run(tmp_path / "b", 20, settings=one))])
    assert str(found.differing[0]) == "max_tokens: 256 v 512"
    more = read_run(write_run(tmp_path / "c", 20, settings=two))
    with pytest.raises(UsageError, match="max_tokens: 256 v 512; seed: 0 v 3"):
        compare_runs([first, more])
    (across,) = compare_runs([first, more], across=True)
    assert len(across.differing) == 2
    elsewhere = read_run(write_run(tmp_path / "d", 20, machine={"id": "n", "cpu": "a board"}))
    with pytest.raises(UsageError, match="a laptop v a board"):
        compare_runs([first, elsewhere])


def test_repeats_show_flips(tmp_path: Path) -> None:
    """Runs that differ in seed alone are repeats: verdicts that changed are chance made visible."""
    settings = {**MANIFEST["settings"], "seed": 1}
    runs = [read_run(write_run(tmp_path / "a", 20)), read_run(write_run(tmp_path / "b", 21, settings=settings))]
    (found,) = compare_runs(runs)
    assert found.is_repeat
    assert (found.pairing.gained, found.pairing.lost) == (1, 0)


def test_styles_of_one_run(tmp_path: Path) -> None:
    """One run alone compares its styles with plain; with a single style it says what to do."""
    run = read_run(write_run(tmp_path / "a", 20, styles=("plain", "cot")))
    (found,) = compare_runs([run])
    assert (found.baseline, found.other) == ("plain", "cot")
    with pytest.raises(UsageError, match="one style only"):
        compare_runs([read_run(write_run(tmp_path / "b", 20))])


def test_many_comparisons_are_corrected(tmp_path: Path) -> None:
    """A p value just under 5 % does not survive being the best of three (Holm)."""
    runs = [read_run(write_run(tmp_path / "a", 20))]
    runs += [
        read_run(write_run(tmp_path / q, n, model=model(q, 1))) for q, n in (("Q8_0", 26), ("Q5_0", 20), ("Q2_K", 20))
    ]
    best, *_ = compare_runs(runs)
    assert best.pairing.correctness.p == pytest.approx(2 / 2**6)
    assert best.corrected_p == pytest.approx(3 * 2 / 2**6)
    assert best.pairing.correctness.verdict == "no_difference"


def test_ladder_of_quantizations(tmp_path: Path) -> None:
    """Quantizations of one model stand from the largest file down, each against the largest; other models do not join."""
    quants = (("Q2_K", 200), ("Q8_0", 800), ("Q4_K_M", 400))
    runs = [read_run(write_run(tmp_path / q, 30, model=model(q, size))) for q, size in quants]
    steps = ladders([*runs, read_run(write_run(tmp_path / "x", 30, model=model("Q8_0", 9, alias="other")))])
    assert [step.quant for step in steps] == ["Q8_0", "Q4_K_M", "Q2_K"]
    assert steps[0].against_first is None
    assert steps[1].against_first is not None
    assert steps[0].seconds == 1.0


def test_styles_cost_and_buy(tmp_path: Path) -> None:
    """Each run with several styles has a ladder of them: points, tokens, seconds and joules, with what they are against plain."""
    run = read_run(write_run(tmp_path / "a", 20, styles=("plain", "cot")))
    for one in run.samples:
        one["energy_j"] = 5.0 if one["style"] == "plain" else 15.0
    first, second = style_steps([run, read_run(write_run(tmp_path / "b", 20))])
    assert (first.style, first.joules, first.against_first) == ("plain", 5.0, None)
    assert second.against_first is not None
    energy = second.against_first.metric("energy")
    assert energy.verdict == "worse"
    rows = ladder_table([first, second], title="Styles", first="the first").rows
    assert [row[-1] for row in rows] == ["5", "15 (3.00×*)"]


def test_ratios_are_tested_and_corrected_too() -> None:
    """Four problems three times as dear are no proof (16 signings); twelve are, and three comparisons need more than one."""
    few = [sample(i, passed=True) for i in range(4)]
    assert (
        pair(few, [sample(i, passed=True, cost_s=3.0) for i in range(4)]).metric("seconds").verdict == "no_difference"
    )
    many = [sample(i, passed=True) for i in range(12)]
    found = pair(many, [sample(i, passed=True, cost_s=3.0) for i in range(12)]).metric("seconds")
    assert found.verdict == "worse"
    assert found.p == pytest.approx(2 / 2**12)


def test_correction_of_ratios(tmp_path: Path) -> None:
    """Six problems that all cost more have p = 0.031: alone a verdict, not as one of three comparisons."""
    runs = [
        read_run(write_run(tmp_path / q, 6, problems=6, model=model(q, 1))) for q in ("Q8_0", "Q5_0", "Q4_0", "Q2_K")
    ]
    for one in runs[1].samples:
        one["cost_s"] = 3.0
    (alone,) = compare_runs(runs[:2])
    assert alone.pairing.metric("seconds").verdict == "worse"
    among, *_ = compare_runs(runs)
    assert among.pairing.metric("seconds").corrected_p == pytest.approx(3 * 2 / 2**6)
    assert among.pairing.metric("seconds").verdict == "no_difference"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", ("qwen2.5-coder-1.5b-instruct", "Q4_K_M")),
        ("phi-2.Q2_K.gguf", ("phi-2", "Q2_K")),
        ("model-IQ3_XXS.gguf", ("model", "IQ3_XXS")),
        ("gemma-F16.gguf", ("gemma", "F16")),
        ("plain.gguf", ("plain", "")),
    ],
)
def test_quantization_from_a_file_name(name: str, expected: tuple[str, str]) -> None:
    """Where the manifest has no alias, the file's name tells family and quantization."""
    manifest = {"model": {"name": name, "alias": "", "quant": ""}}
    assert (family(manifest), quantization(manifest)) == expected


def test_command_and_its_exit_codes(tmp_path: Path) -> None:
    """Every format renders; --fail-if worse fails exactly when a later run is worse."""
    better = write_run(tmp_path / "a", 35)
    worse = write_run(tmp_path / "b", 10, model=model("Q2_K", 200))
    runner = CliRunner()
    for output in ("table", "md", "csv", "latex", "jsonl", "html"):
        done = runner.invoke(app, ["compare", str(better), str(worse), "-o", output])
        assert done.exit_code == 0, done.output
        assert "pass@1" in done.stdout
    found = json.loads(runner.invoke(app, ["compare", str(better), str(worse), "-o", "json"]).stdout)
    assert found["comparisons"][0]["metrics"][0]["verdict"] == "worse"
    assert [step["quant"] for step in found["ladder"]] == ["Q4_K_M", "Q2_K"]
    failed = runner.invoke(app, ["compare", str(better), str(worse), "--fail-if", "worse"])
    assert isinstance(failed.exception, CheckFailed)
    assert runner.invoke(app, ["compare", str(worse), str(better), "--fail-if", "worse"]).exit_code == 0


def test_fail_if_figures(tmp_path: Path) -> None:
    """`worse` looks at every figure, `worse:speed` at that one; a figure asked for by name must be there; others are refused."""
    runner = CliRunner()
    first = str(write_run(tmp_path / "a", 30))
    dearer = write_run(tmp_path / "b", 30, model=model("Q8_0", 800))
    lines = (dearer / "generations.jsonl").read_text(encoding="utf-8")
    (dearer / "generations.jsonl").write_text(lines.replace('"cost_s":1.0', '"cost_s":2.0'), encoding="utf-8")

    def outcome(asked: str) -> str:
        return str(runner.invoke(app, ["compare", first, str(dearer), "--fail-if", asked]).exception)

    assert outcome("worse").startswith("worse: seconds of tiny@Q8_0")
    assert outcome("worse:speed").startswith("worse: seconds of tiny@Q8_0")
    assert outcome("worse:correctness,memory") == "None"
    assert outcome("worse:energy").startswith("not measured, so not checked: energy")
    for wrong in ("better", "worse:beauty"):
        refused = runner.invoke(app, ["compare", first, str(dearer), "--fail-if", wrong])
        assert isinstance(refused.exception, UsageError)
        assert refused.stdout == ""
