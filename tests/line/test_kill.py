"""Kill -9 at any instant, then the same command: no sample is lost, none is generated twice."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.line.support import COMMAND, lines

KILLS = 50
LONGEST_WAIT_S = 2.0
ARGUMENTS = ["run", "-m", "demo", "-t", "1", "--style", "plain,cot", "--efficiency-budget", "2s", "-o", "json"]


def _kill_after(folder: Path, environment: dict[str, str], seconds: float) -> bool:
    """Starts the run and kills it; False when it was done before."""
    process = subprocess.Popen(
        [*COMMAND, *ARGUMENTS, "--out", str(folder)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    assert process.returncode == 0
    return False


def _stored(folder: Path) -> Counter[str]:
    path = folder / "generations.jsonl"
    if not path.is_file():
        return Counter()
    whole = path.read_bytes().rpartition(b"\n")[0]
    return Counter(line[: line.index(b'"problem_id"')].decode() for line in whole.split(b"\n") if line)


@pytest.mark.slow
@pytest.mark.model
def test_fifty_kills_lose_nothing_and_repeat_nothing(tmp_path: Path, line_env: dict[str, str]) -> None:
    """At 50 random instants of real runs of the demo model: what was stored stays, and ends complete, each key once."""
    rng, kills, number = random.Random(60), 0, 0
    while kills < KILLS:
        folder, number = tmp_path / f"run-{number}", number + 1
        before: Counter[str] = Counter()
        while kills < KILLS and _kill_after(folder, line_env, rng.uniform(0.05, LONGEST_WAIT_S)):
            kills += 1
            stored = _stored(folder)
            assert not before - stored, "a stored sample was lost"
            before = stored
    _finish(folder, line_env)
    generations, results = lines(folder / "generations.jsonl"), lines(folder / "results.jsonl")
    keys = Counter(record["key"] for record in generations)
    assert len(keys) == 120
    assert set(keys.values()) == {1}
    assert {record["generation"] for record in results} == set(keys)


def _finish(folder: Path, environment: dict[str, str]) -> None:
    began = time.monotonic()
    command = [*COMMAND, *ARGUMENTS, "--out", str(folder)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"after {time.monotonic() - began:.0f} s: {result.stderr}"
