"""`ladder` on real quantized copies of the demo model, one thread: figures, order, resumption, refusals, what is deleted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.columns.generate import request_for
from cpu_codegen.config import RunConfig
from cpu_codegen.engine import likelihood
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.process import EngineDied
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.errors import IntegrityError, Interrupted, MachineError, UsageError
from cpu_codegen.fidelity import base as base_room
from cpu_codegen.fidelity import ladder as room
from cpu_codegen.fidelity.find import read_ladders
from cpu_codegen.fidelity.kept import base_path
from cpu_codegen.fidelity.ladder import LadderConfig, climb
from cpu_codegen.fidelity.scoring import scores, tokenized
from cpu_codegen.fidelity.texts import scored_text
from cpu_codegen.inputs import prepare
from cpu_codegen.packaged import demo_model
from cpu_codegen.progress import Silent
from cpu_codegen.suites.lowcost60 import load_lowcost60
from tests.cli.support import run_cli

pytestmark = pytest.mark.model
Quantized = dict[str, Path]


def config(quantized: Quantized, out: Path, *quants: str, limit: int = 3, **changes: Any) -> LadderConfig:
    """A short ladder."""
    models = tuple(str(quantized[quant]) for quant in quants)
    return LadderConfig(models, limit=limit, threads=1, out=str(out), **changes)


def lines(folder: Path) -> list[dict[str, Any]]:
    """All lines but their keys' order."""
    return [json.loads(text) for text in (folder / "fidelity.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(quantized: Quantized, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ladder of four files over six problems."""
    out = tmp_path_factory.mktemp("ladder") / "whole"
    return climb(config(quantized, out, "q2_k", "q8_0", "q4_0", "f16", limit=4), progress=Silent())


def test_fewer_bits_stray_further(whole: Path) -> None:
    """The base is the largest file; 8 bits are almost the base, 4 stray, 2 stray most, and each step is told from the one above."""
    ladder = read_ladders(whole)[0]
    assert [step.quant for step in ladder.steps] == ["f16", "q8_0", "q4_0", "q2_k"]
    means = [step.kl_nats.value for step in ladder.steps[1:] if step.kl_nats]
    tops = [step.same_top.value for step in ladder.steps[1:] if step.same_top]
    assert means == sorted(means)
    assert means[0] < 0.01 < means[-1]
    assert tops == sorted(tops, reverse=True)
    further = ladder.steps[2].against_above
    assert further is not None
    assert further.low > 0


def test_only_the_references_tokens_are_scored(whole: Path) -> None:
    """Bytes of the scored tokens are those of the reference without its docstring, to the token at each end."""
    problems = {problem.id: problem for problem in load_lowcost60()}
    for line in lines(whole):
        text = scored_text(problems[line["problem_id"]], None)
        assert text is not None
        assert '"""' not in text.reference
        assert len(text.reference.encode()) - 8 <= line["bytes"] <= len(text.reference.encode())
        assert line["kl_nats"] is None or len(line["kl_nats"]) == line["tokens"]


def test_a_models_own_greedy_answer_surprises_it_least(tmp_path: Path) -> None:
    """Scored token by token, each one where it was written: the answer costs a fraction of the reference's bits."""
    asked = RunConfig(model=str(demo_model()), limit=1)
    sample = prepare(asked).samples[0]
    reference = scored_text(sample.problem, None)
    assert reference is not None
    with LlamaEngine(EngineSettings(str(demo_model()), "", ctx_tokens=1024, threads=1, parallel=1)) as engine:
        answer = next(iter(engine.run([request_for(sample, asked)]))).text
        items = [
            {
                "key": key,
                "before": sample.prompt.text,
                "reference": text,
                "after": "",
                "add_special": sample.prompt.add_special,
            }
            for key, text in (("own", answer), ("reference", f"```python\n{reference.reference}"))
        ]
        counts = tokenized(engine, items)["texts"]
        nats = {found["key"]: found["nll_nats"] for found in scores(engine, items, tmp_path, is_base=True)}
    each = {key: nats[key] / counts[key]["scored"] for key in nats}
    assert counts["own"]["bytes"] == len(answer.encode())
    assert each["own"] < 0.25
    assert each["own"] < each["reference"] / 3


def test_nothing_of_the_base_is_kept_at_the_end(whole: Path) -> None:
    """fidelity.jsonl, the log and the lock are all that is left."""
    assert {path.name for path in whole.iterdir()} == {"fidelity.jsonl", "llama.log", ".lock"}


def test_the_same_command_has_nothing_to_do(quantized: Quantized, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is loaded."""
    before = (whole / "fidelity.jsonl").read_bytes()
    monkeypatch.setattr(room, "LlamaEngine", None)
    climb(config(quantized, whole, "f16", "q8_0", "q4_0", "q2_k", limit=4), progress=Silent())
    assert (whole / "fidelity.jsonl").read_bytes() == before


class Stops(Silent):
    """Ctrl-C after so many texts."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, note: str = "") -> None:
        """One more."""
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_an_interrupted_ladder_ends_with_the_same_figures(quantized: Quantized, whole: Path, tmp_path: Path) -> None:
    """Stopped in the base's pass and in another's: no text is scored twice, no digit differs from the uninterrupted ladder."""
    wanted = config(quantized, tmp_path / "out", "f16", "q8_0", limit=4)
    for after in (2, 4):
        with pytest.raises(Interrupted) as caught:
            climb(wanted, progress=Stops(after))
        assert "of the base wait there" in str(caught.value)
    climb(wanted, progress=Silent())
    mine = {line["key"]: line for line in lines(tmp_path / "out")}
    assert len(mine) == len(lines(tmp_path / "out")) == 8
    theirs = {line["key"]: line for line in lines(whole)}
    assert all(theirs[key] == line for key, line in mine.items())


class Breaks(Stops):
    """An error of ours after so many texts."""

    def advance(self, note: str = "") -> None:
        """One more."""
        self.left -= 1
        if not self.left:
            raise MachineError("the disk is full", remedy="free some space")


def test_after_an_error_nothing_of_the_base_is_kept(quantized: Quantized, tmp_path: Path) -> None:
    """Gigabytes wait for whoever stopped, not for whoever failed; the lines that are there stay."""
    with pytest.raises(MachineError):
        climb(config(quantized, tmp_path / "out", "f16", "q8_0", limit=2), progress=Breaks(3))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"fidelity.jsonl", "llama.log", ".lock"}
    assert len(lines(tmp_path / "out")) == 2


def test_more_problems_and_more_models_may_follow(quantized: Quantized, tmp_path: Path) -> None:
    """Scope grows in the same folder; a base that has scored a text scores it again only for its log-probabilities."""
    out = tmp_path / "out"
    climb(config(quantized, out, "f16", "q8_0", limit=1), progress=Silent())
    climb(config(quantized, out, "f16", "q4_0", limit=2), progress=Silent())
    assert [step.quant for step in read_ladders(out)[0].steps] == ["f16", "q4_0"]
    assert len(lines(out)) == 1 + 1 + 1 + 2


def test_other_token_ids_are_refused(quantized: Quantized, whole: Path, tmp_path: Path) -> None:
    """Exit 6, before anything of that file is scored."""
    out = tmp_path / "out"
    out.mkdir()
    first = [{**line, "tokens_hash": "other"} for line in lines(whole) if line["kl_nats"] is None]
    (out / "fidelity.jsonl").write_text("".join(json.dumps(line) + "\n" for line in first))
    with pytest.raises(IntegrityError, match="as other tokens"):
        climb(config(quantized, out, "f16", "q8_0", limit=1), progress=Silent())
    assert len(lines(out)) == len(first)


def test_the_disk_is_checked_before_the_base_is_scored(
    quantized: Quantized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 bytes × vocabulary × scored tokens and a little; nothing is written."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=70_000_000))
    with pytest.raises(MachineError, match="log-probabilities need"):
        climb(config(quantized, tmp_path / "out", "f16", "q8_0", limit=12), progress=Silent())
    assert not (tmp_path / "out" / "fidelity.jsonl").exists()


def test_what_the_base_says_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut could leave a file of the right size and of zeros, and wrong figures; a failed text leaves no name."""
    synced: list[bool] = []
    monkeypatch.setattr("os.fsync", lambda _: synced.append(base_path(tmp_path, "k").exists()))
    with likelihood._base_file(tmp_path, "k", is_base=True) as file:
        file.write(b"12")
    assert synced == [False]
    assert base_path(tmp_path, "k").read_bytes() == b"12"
    with pytest.raises(OSError, match="full"), likelihood._base_file(tmp_path, "torn", is_base=True):
        raise OSError("full")
    assert not base_path(tmp_path, "torn").exists()


def test_a_base_that_does_not_fit_is_no_base(quantized: Quantized, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was named and does not fit is an error before anything is loaded."""
    monkeypatch.setattr(base_room, "fits", lambda size, _: size < quantized["f16"].stat().st_size)
    with pytest.raises(MachineError, match="does not fit"):
        base_room.gather([str(quantized["f16"]), str(quantized["q8_0"])], base=None, progress=Silent())


def test_another_vocabulary_is_refused(quantized: Quantized, tmp_path: Path) -> None:
    """Before anything is loaded; the same for another model of the same vocabulary, and for one file alone."""
    data = quantized["q8_0"].read_bytes()
    other = tmp_path / "demo-q8_1.gguf"
    at = data.index(b"tokenizer.ggml.tokens")
    place = data.index(b"return", at)
    other.write_bytes(data[:place] + b"RETURN" + data[place + 6 :])
    with pytest.raises(UsageError, match="another vocabulary"):
        base_room.gather([str(quantized["f16"]), str(other)], base=None, progress=Silent())
    with pytest.raises(UsageError, match="two files"):
        base_room.gather([str(quantized["f16"])], base=None, progress=Silent())


class Crashing:
    """An engine that dies at one text, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def ask(self, command: dict[str, Any]) -> Any:
        """Plays the process."""
        for item in command["items"]:
            yield {"event": "started", "key": item["key"]}
            if item["key"] == "b" and self.times:
                self.times -= 1
                raise EngineDied(-11)
            yield {"event": "scored", "key": item["key"]}

    def why_died(self, died: EngineDied) -> str:
        """As the engine says it."""
        return f"the engine crashed ({died})"


def test_a_crash_costs_the_text_in_flight(tmp_path: Path) -> None:
    """Tried once more; twice at the same text ends the work, and what was scored before was given out."""
    items = [{"key": key} for key in "abc"]
    found = scores(Crashing(1), items, tmp_path, is_base=True)  # type: ignore[arg-type]
    assert [event["key"] for event in found] == ["a", "b", "c"]
    dying = scores(Crashing(2), items, tmp_path, is_base=True)  # type: ignore[arg-type]
    assert next(dying)["key"] == "a"
    with pytest.raises(MachineError, match="SIGSEGV"):
        list(dying)


def test_the_command_prints_a_table_that_names_its_base(
    capsys: pytest.CaptureFixture[str], quantized: Quantized, whole: Path
) -> None:
    """And the same as JSON; a suite without references is refused."""
    models = [part for quant in ("f16", "q8_0", "q4_0", "q2_k") for part in ("-m", str(quantized[quant]))]
    command = ("ladder", *models, "--limit", "4", "-t", "1", "--out", str(whole))
    ran = run_cli(capsys, *command)
    assert ran.code == 0, ran.err
    assert "Fidelity to demo-f16.gguf" in ran.out
    told = json.loads(run_cli(capsys, *command, "-o", "json").out)["fidelity"][0]
    assert told["base"]["quant"] == "f16"
    assert len(told["steps"]) == 4


def test_the_base_may_lie_in_the_registry_unnamed(quantized: Quantized, tmp_path: Path) -> None:
    """A larger file of the same alias that is here and fits is the base although nobody named it."""
    registry = tmp_path / "models.yaml"
    files = "\n".join(f"      {quant}: {{path: {quantized[quant]}, source: here}}" for quant in ("f16", "q8_0", "q4_0"))
    registry.write_text(f"schema: 1\nmodels:\n  tiny:\n    files:\n{files}\n")
    found = base_room.gather(["tiny@q4_0"], base=None, progress=Silent(), models_file=registry)
    assert found.base.quant == "f16"
    assert [rung.quant for rung in found.others] == ["q4_0"]


def test_a_problem_without_a_reference_has_no_text() -> None:
    """HumanEval without plus carries none."""
    from cpu_codegen.schema import AssertTask, Problem

    problem = Problem("x/1", "x", "", "f", "def f():\n", "h", AssertTask(test="assert True"))
    assert scored_text(problem, None) is None
    assert demo_model().is_file()
