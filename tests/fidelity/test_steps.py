"""Lines → ladders: who may share a table, and the figures with their intervals."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.fidelity.find import ladders_of
from cpu_codegen.fidelity.steps import Ladder, ladders
from cpu_codegen.fidelity.tables import record, table
from cpu_codegen.report.escape import for_terminal
from cpu_codegen.report.tables import as_csv, as_html, as_latex, as_markdown, as_text
from cpu_codegen.store import dump_line

BASE = {"name": "m@f16", "alias": "m", "quant": "f16", "sha256": "ba5e", "size_bytes": 16_000_000}


def line(problem: str, quant: str, **changes: Any) -> dict[str, Any]:
    """One line as `ladder` writes it; divergence grows with the loss of bits."""
    size = {"f16": 16, "q8_0": 8, "q4_0": 4, "q2_k": 2}[quant]
    draw = random.Random(f"{problem}")
    kl = [draw.expovariate(size * 10) for _ in range(50)]
    model = (
        BASE
        if quant == "f16"
        else {**BASE, "name": f"m@{quant}", "quant": quant, "sha256": quant, "size_bytes": size * 10**6}
    )
    is_base = quant == "f16"
    return {
        "key": f"{problem} {quant}",
        "base": BASE,
        "model": model,
        "suite": "lowcost60",
        "problem_id": problem,
        "tokens_hash": problem,
        "vocabulary_hash": "v",
        "vocabulary": 3000,
        "build": "b",
        "tokens": 50,
        "bytes": 150,
        "nll_nats": 30.0 + 10 / size,
        "kl_nats": None if is_base else kl,
        "same_top": None if is_base else 40 + size,
        **changes,
    }


def lines(*quants: str, problems: int = 20, **changes: Any) -> list[dict[str, Any]]:
    """All problems of some files."""
    return [line(f"p{number}", quant, **changes) for quant in quants for number in range(problems)]


def only(found: list[Ladder]) -> Ladder:
    """The one ladder."""
    assert len(found) == 1
    return found[0]


def test_the_base_comes_first_and_the_rest_by_size() -> None:
    """Whatever the order of the lines; the base has bits per byte alone."""
    ladder = only(ladders(lines("q4_0", "q8_0", "f16", "q2_k")))
    assert [step.quant for step in ladder.steps] == ["f16", "q8_0", "q4_0", "q2_k"]
    assert ladder.steps[0].kl_nats is None
    assert ladder.steps[0].bits_per_byte.value == pytest.approx((30 + 10 / 16) / math.log(2) / 150)
    assert (ladder.problems, ladder.tokens) == (20, 1000)


def test_figures_are_over_tokens_and_intervals_over_problems() -> None:
    """Mean, 99th percentile (at least 99 % of tokens lie at or below it), share of same tops; n counts problems."""
    data = lines("f16", "q4_0")
    step = only(ladders(data)).steps[1]
    values = sorted(v for one in data if one["kl_nats"] for v in one["kl_nats"])
    assert step.kl_nats is not None
    assert step.kl_nats.value == pytest.approx(sum(values) / len(values))
    assert step.kl_nats.n == 20
    assert step.kl_nats.low < step.kl_nats.value < step.kl_nats.high
    assert step.kl_p99_nats is not None
    assert step.kl_p99_nats.value == values[math.ceil(0.99 * len(values)) - 1]
    assert step.same_top is not None
    assert step.same_top.value == pytest.approx(44 / 50)
    assert step.same_top.low < 44 / 50 < step.same_top.high  # all problems alike: Wilson, not a point


def test_a_step_is_compared_with_the_file_above_on_the_same_tokens() -> None:
    """The paired interval tells neighbours apart; equal files read no difference."""
    steps = only(ladders(lines("f16", "q8_0", "q4_0"))).steps
    assert steps[1].verdict is None
    assert steps[2].verdict == "further"
    twin = [{**one, "model": {**one["model"], "sha256": "twin", "size_bytes": 3_000_000}} for one in lines("q4_0")]
    assert only(ladders([*lines("f16", "q4_0"), *twin])).steps[2].verdict == "no_difference"


@pytest.mark.parametrize(
    "changes",
    [{"vocabulary_hash": "other"}, {"base": {**BASE, "sha256": "another base"}}, {"tokens_hash": "other ids"}],
)
def test_what_cannot_be_compared_shares_no_table(changes: dict[str, Any]) -> None:
    """Another base digest, other token ids, another vocabulary: such lines appear in no table of this base."""
    ladder = only(ladders([*lines("f16", "q8_0"), *lines("q4_0", **changes)]))
    assert [step.quant for step in ladder.steps] == ["f16", "q8_0"]


def test_suites_are_never_pooled() -> None:
    """One table each."""
    found = ladders([*lines("f16", "q8_0"), *lines("f16", "q8_0", suite="mbpp+")])
    assert [ladder.suite for ladder in found] == ["lowcost60", "mbpp+"]


def test_an_unfinished_file_is_named_and_left_out() -> None:
    """It would shrink everybody's sample."""
    ladder = only(ladders([*lines("f16", "q8_0"), *lines("q2_k", problems=3)]))
    assert [step.quant for step in ladder.steps] == ["f16", "q8_0"]
    assert "m@q2_k is left out: it has 3 of 20 problems" in ladder.notes[0]


def test_files_scored_on_other_problems_each_do_not_hide_each_other() -> None:
    """The one that came last is shown with the base, the other is named."""
    early, late = ([one for one in lines("q8_0") if one["problem_id"] in few] for few in (("p1", "p2"), ("p3", "p4")))
    late = [{**one, "model": {**one["model"], "name": "late", "sha256": "late"}} for one in late]
    ladder = only(ladders([*lines("f16"), *early, *late]))
    assert [step.name for step in ladder.steps] == ["m@f16", "late"]
    assert "m@q8_0 is left out: it has 0 of 2 problems" in ladder.notes[0]


def test_too_few_problems_give_an_interval_and_no_word() -> None:
    """Five are not enough to say further or closer, six are."""
    few, enough = (only(ladders(lines("f16", "q8_0", "q2_k", problems=n))).steps[2] for n in (5, 6))
    assert few.against_above is not None
    assert few.against_above.low > 0
    assert (few.verdict, enough.verdict) == (None, "further")


def test_one_problem_has_no_interval() -> None:
    """And the JSON holds null, never infinity."""
    ladder = only(ladders(lines("f16", "q8_0", "q4_0", problems=1)))
    told = record(ladder)
    assert told["steps"][1]["kl_nats"]["high"] is None
    assert "one problem" in as_text(table(ladder))


def test_hostile_names_do_not_act_in_any_sink() -> None:
    """A file's name is foreign text."""
    name = "</td><script>x</script>|=1+1\x1b[2J\u202e${\\input{x}}"
    data = lines("f16", "q8_0")
    hostile = [{**one, "model": {**one["model"], "name": name}} for one in data]
    shown = table(only(ladders(hostile)))
    assert "<script" not in as_html(shown)
    assert "\x1b" not in as_text(shown)
    assert "\u202e" not in as_csv(shown) + as_markdown(shown) + as_latex(shown)
    typeset = [line for line in as_latex(shown).splitlines() if not line.startswith("%")]
    assert "\\input{" not in "".join(typeset).replace("\\textbackslash{}input\\{", "")
    assert for_terminal(name) in as_text(shown)


def test_a_run_finds_the_ladders_of_its_model_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its folder, its group, beside it and under ./runs; told by digest, never by name."""
    monkeypatch.chdir(tmp_path)
    for place in ("group", "elsewhere", "runs/ladder-m"):
        (tmp_path / place).mkdir(parents=True)
    text = "".join(dump_line(one) for one in lines("f16", "q8_0"))
    run = tmp_path / "group" / "m-q8_0"
    run.mkdir()
    assert ladders_of([(run, "q8_0")]) == []
    (tmp_path / "elsewhere" / "fidelity.jsonl").write_text(text)
    assert ladders_of([(run, "q8_0")]) == []
    for place in ("group", "runs/ladder-m"):
        path = tmp_path / place / "fidelity.jsonl"
        path.write_text(text)
        assert len(ladders_of([(run, "q8_0")])) == 1
        assert ladders_of([(run, "another")]) == []
        path.unlink()


@pytest.mark.parametrize("damage", ["{no json\n", '{"key": "a"}\n', '{"key": "a", "tokens": 5, "base": 3}\n', "[1]\n"])
def test_a_damaged_file_beside_a_run_costs_the_run_nothing(tmp_path: Path, damage: str) -> None:
    """The page of hours of work is written all the same."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "fidelity.jsonl").write_text(damage)
    assert ladders_of([(run, "q8_0")]) == []
