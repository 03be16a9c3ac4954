"""`bench`: the order, the figures and the doubts on invented measurements; once for real on the demo model."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from typing import Any

import pytest

from cpu_codegen.engine.bench import Repetition, Timed, bench, best_threads, candidates, drift_of, quantile, repetitions
from cpu_codegen.machine import Machine
from cpu_codegen.packaged import demo_model
from cpu_codegen.progress import Silent


class Meter:
    """Invents measurements: 100 tokens/s a thread for prompts, 10 for generation; notes what was asked."""

    def __init__(self, slower_from: int = 1 << 30, factor: float = 1.0) -> None:
        self.asked: list[dict[str, Any]] = []
        self._slower_from, self._factor = slower_from, factor

    def __call__(self, **test: Any) -> dict[str, Any]:
        """What timing.measure would report."""
        self.asked.append(test)
        slow = self._factor if len(self.asked) > self._slower_from else 1.0
        per_token = slow / (10 * min(test["threads"], 2))
        prompt_s = slow * test["prompt"] / (100 * test["threads"])
        token_s = [per_token] * test["generated"]
        wall_s = prompt_s + sum(token_s)
        memory = {"rss_bytes": 9, "peak_rss_bytes": 10, "file_bytes": 6, "anonymous_bytes": 3, "pss_bytes": None}
        return {
            "prompt_s": prompt_s,
            "token_s": token_s,
            "wall_s": wall_s,
            "cpu_s": wall_s * test["threads"],
            "minor_faults": 7,
            "major_faults": 0,
            "energy_j": None,
            "clock_mhz": None,
            "throttled": None,
            "memory": memory,
        }


def profile(meter: Meter, **fields: Any) -> Any:
    """A bench of pp512 and tg8 at two depths."""
    options = {"prompts": [512], "generated": [8], "depths": [0, 64], "threads": [2], "scan": False, "repeats": 5}
    return bench(meter, **{"progress": Silent(), **options, **fields}, seed=4, machine=Machine())


def test_rates_and_latencies_come_out_as_they_went_in() -> None:
    """Tokens over seconds, first token after the prompt, milliseconds between tokens; nothing measured stays None."""
    found = profile(Meter())
    rows = {row.test.name: row for row in found.rows}
    assert list(rows) == ["pp512", "tg8", "pp512 @ d64", "tg8 @ d64"]
    assert (rows["pp512"].rate, rows["tg8"].rate) == (pytest.approx(200), pytest.approx(20))
    assert rows["pp512"].ttft_s == pytest.approx(2.56)
    assert rows["tg8"].latency_p50_s == pytest.approx(0.05)
    assert (rows["tg8"].ttft_s, rows["tg8"].joules_per_token, found.clock_mhz) == (None, None, None)
    assert found.drift == pytest.approx(1.0)
    assert found.memory["peak_rss_bytes"] == 10
    assert not found.warnings


def test_the_order_is_random_but_seeded_and_follows_a_warm_up() -> None:
    """Every test as often as asked, interleaved, the same order for the same seed; the warm-up is not counted."""
    tests = [Timed(8, 0, 0, 1), Timed(0, 4, 0, 1), Timed(0, 4, 9, 1)]
    orders = []
    for seed in (1, 1, 2):
        meter = Meter()
        done = list(repetitions(meter, tests, repeats=6, seed=seed))
        orders.append([one.test for one in done])
        assert len(meter.asked) == len(done) + 1
    assert orders[0] == orders[1] != orders[2]
    assert all(orders[0].count(test) == 6 for test in tests)
    assert orders[0] != sorted(orders[0], key=tests.index)


def test_the_best_thread_count_is_the_fewest_of_the_fast_ones() -> None:
    """Four threads are no faster than two here, so two are best and the tests run with two."""
    found = profile(Meter(), threads=[1, 2, 4], scan=True)
    assert found.threads == 2
    assert {row.test.threads for row in found.rows} == {2}
    assert found.scan[2] == pytest.approx(found.scan[4])
    assert best_threads({1: 10, 2: 19.5, 4: 20}) == 2


def test_the_scan_is_shown_while_it_runs() -> None:
    """A slow model takes a minute for it: each of its measurements moves the bar, as those of the tests do."""
    told: list[str] = []

    class Told(Silent):
        def begin(self, column: str, total: int, done: int = 0) -> None:
            told.append(f"{column} {total}")

        def advance(self, note: str = "") -> None:
            told.append(note.split(" ")[0])

    profile(Meter(), threads=[1, 2], scan=True, generated=[], depths=[0], repeats=1, progress=Told())
    assert [word for word in told if not word[0].isdigit()] == ["threads 6", "bench 1", "pp512"]
    assert sorted(word for word in told if word[0].isdigit()) == ["1:"] * 3 + ["2:"] * 3


def test_candidates_stay_within_affinity_and_quota() -> None:
    """Never a thread over the quota, where llama.cpp collapses."""
    machine = Machine(logical_cores_usable=16, physical_cores_usable=8, performance_cores_usable=6)
    assert candidates(machine) == [1, 2, 4, 6, 8, 16]
    assert candidates(Machine(logical_cores_usable=16, physical_cores_usable=8, cpu_quota=2.5)) == [1, 2]
    assert candidates(Machine()) == [1]


def test_drift_and_its_warning() -> None:
    """A machine that slows down half-way is found out, whatever the mix of tests in each half."""
    found = profile(Meter(slower_from=1 + 10, factor=1.25))
    assert found.drift == pytest.approx(0.8, abs=0.06)
    assert any("second half" in warning for warning in found.warnings)
    assert drift_of([Repetition(Timed(1, 0, 0, 1), 0, {"prompt_s": 1.0, "token_s": []})]) is None


def test_doubtful_measurements_say_why() -> None:
    """Lost CPU time, reads from disk, battery: each is named."""

    class Disturbed(Meter):
        def __call__(self, **test: Any) -> dict[str, Any]:
            report = super().__call__(**test)
            return {**report, "cpu_s": report["cpu_s"] * 0.5, "major_faults": 3}

    options: dict[str, Any] = {"prompts": [64], "generated": [], "depths": [0], "threads": [1], "scan": False}
    found = bench(Disturbed(), **options, repeats=2, seed=0, machine=Machine(power="battery"), progress=Silent())
    assert [word for word in ("CPU time", "disk", "battery") if not any(word in w for w in found.warnings)] == []


def test_quantiles_lie_between_neighbours() -> None:
    """Type 7, as numpy's default."""
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert quantile([1.0], 0.95) == 1.0


def test_a_depth_beyond_memory_is_refused_with_benchs_own_options() -> None:
    """Nothing is loaded, and the remedy names no option that bench does not have."""
    from cpu_codegen.engine import diagnosis

    command = [sys.executable, "-m", "cpu_codegen", "bench", "-m", str(demo_model()), "-t", "1", "-d", "9999999"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    forced = str(diagnosis.refused("depth", "no context of 9 tokens", "", model="m.gguf").remedy)
    assert done.returncode == 3
    assert "-d and -p of 2048 tokens together" in done.stderr
    assert not [words for words in (done.stderr, forced) if "--ctx" in words or "--parallel" in words]


@pytest.mark.model
def test_the_command_measures_the_demo_model() -> None:
    """-o json and csv carry llama-bench's field names, json also memory and the reason for every figure that was not measured."""
    pytest.importorskip("llama_cpp")
    command = [sys.executable, "-m", "cpu_codegen", "bench", "-m", str(demo_model())]
    command += ["-p", "32", "-g", "4", "-d", "0,16", "-t", "1", "--repeats", "2", "-o", "json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    lines = subprocess.run([*command[:-1], "csv"], capture_output=True, text=True, check=True).stdout.splitlines()
    rows = list(csv.DictReader(lines))
    fields = "model_filename model_type model_size model_n_params n_threads type_k type_v n_prompt n_gen n_depth"
    assert (
        set(f"{fields} n_batch n_ubatch avg_ns stddev_ns avg_ts stddev_ts".split())
        <= set(rows[0])
        <= set(found["tests"][0])
    )
    assert [(row["n_prompt"], row["n_gen"], row["n_depth"]) for row in rows[1:3]] == [
        ("0", "4", "0"),
        ("32", "0", "16"),
    ]
    for test in found["tests"]:
        tokens = test["n_prompt"] or test["n_gen"]
        assert [1e9 * tokens / ns for ns in test["samples_ns"]] == pytest.approx(test["samples_ts"], rel=1e-3)
        assert sum(test["samples_ns"]) / 2 == pytest.approx(test["avg_ns"])
    assert [test["test"] for test in found["tests"]] == ["pp32", "tg4", "pp32 @ d16", "tg4 @ d16"]
    assert all(len(test["samples_ts"]) == 2 and test["avg_ts"] > 0 for test in found["tests"])
    assert found["memory"]["peak_rss_bytes"] > demo_model().stat().st_size
    assert found["engine"]["energy"].startswith(("not measured: ", "RAPL", "battery"))
