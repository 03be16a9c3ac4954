"""What the sandbox costs and whether it leaks: `scripts/bench_sandbox.py [--programs 10000] [--json]`.

    trivial           seconds per program with one worker and more to do, verdict and meters included; beside a bare fork
    trivial alone     seconds from one job to its verdict when nothing was prepared; beside a fresh interpreter
    two workers       programs per second
    soak              many programs in a row: descriptors, resident memory and processes before and after
    proof             seconds that open_sandbox takes, attacks included
    SIGKILL           seconds until nothing is left after the parent was killed
    metering          CPU seconds that an empty call is charged (the floor), and what a loop of known length is charged

Aims (issue 3): at most 8 ms per trivial program, no growth over 10,000, nothing left after 1 s. Exit 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.sandbox.descendants import adopting, descendants
from cpu_codegen.schema import AssertTask, Job, Outcome

AIM_TRIVIAL_S = 0.008
AIM_KILLED_S = 1.0
ROUNDS = 600
STREAM = 30  # programs in a row
WARM_UP = 50
MAX_GROWTH_BYTES = 4 << 20  # of the parent and its fork servers together, over the whole soak
TRIVIAL = "def f(x):\n    return x + 1\n"
TEST = AssertTask("assert f(2) == 3")
ENDINGS = (
    (TRIVIAL, Outcome.PASSED),
    ("def f(x): return 0", Outcome.WRONG),
    ("def f(x): raise ValueError(x)", Outcome.ERROR),
    ("import os\ndef f(x): os._exit(0)", Outcome.ERROR),
    ("def f(", Outcome.SYNTAX),
    ("def f(x): return [0] * 10**11", Outcome.MEMORY),
    ("import os\ndef f(x): os.kill(os.getpid(), 11)", Outcome.ERROR),
)
VICTIM = """
import sys, time
from cpu_codegen.sandbox import open_sandbox
from cpu_codegen.schema import AssertTask, Job, Limits
long = Limits(wall_s=600, call_s=600, cpu_s=600)
box = open_sandbox(workers=2)
print("ready", flush=True)
list(box.judge([Job(str(n), "def f(x):\\n while True: pass", "f", AssertTask("f(1)"), long) for n in range(2)]))
"""


def main() -> int:
    """Prints every figure; 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=10_000, help="length of the soak")
    parser.add_argument("--json", action="store_true", help="one object instead of text")
    options = parser.parse_args()
    figures: dict[str, Any] = {"load_average": os.getloadavg()}
    for part in (opening, trivial, two_workers, lambda: soak(options.programs), killed, metering):
        figures |= part()
    figures["missed"] = missed(figures)
    print(json.dumps(figures, indent=1) if options.json else as_text(figures))
    return 1 if figures["missed"] else 0


def timed(action: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Seconds of each round, sorted."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and deciles in milliseconds."""
    tenth = len(seconds) // 10
    return {
        "median_ms": round(1000 * statistics.median(seconds), 3),
        "p10_ms": round(1000 * seconds[tenth], 3),
        "p90_ms": round(1000 * seconds[-1 - tenth], 3),
    }


def opening() -> dict[str, Any]:
    """How long a sandbox takes to open, its fork server's start and the proof by attack included."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        box = open_sandbox()
        seconds.append(time.perf_counter() - started)
        layers, tier = list(box.isolation.layers), box.isolation.tier
        box.close()
    return {"open_s": round(statistics.median(seconds), 3), "layers": layers, "tier": tier}


def trivial() -> dict[str, Any]:
    """Trivial programs, in a stream and alone, beside a bare fork and a fresh interpreter, in turns on the same machine."""
    interpreter = [sys.executable, "-I", "-S", "-c", "pass"]
    seconds: dict[str, list[float]] = {"trivial": [], "trivial_alone": [], "bare_fork": [], "fresh_interpreter": []}
    with open_sandbox() as box:
        timed(lambda: judge_one(box, TRIVIAL), WARM_UP)
        for _ in range(ROUNDS // STREAM):
            seconds["trivial"].append(timed(lambda: judge_many(box, STREAM), 1)[0] / STREAM)
            seconds["trivial_alone"] += timed(lambda: judge_one(box, TRIVIAL), STREAM)
            seconds["bare_fork"] += timed(bare_fork, STREAM)
            seconds["fresh_interpreter"] += timed(lambda: subprocess.run(interpreter, check=True), STREAM)
    return {name: spread(sorted(values)) for name, values in seconds.items()}


def judge_many(box: Sandbox, count: int) -> None:
    """A stream of trivial programs, all of which pass."""
    ends = [end.outcome for end in box.judge(Job(str(n), TRIVIAL, "f", TEST) for n in range(count))]
    assert ends == [Outcome.PASSED] * count


def judge_one(box: Sandbox, code: str) -> Outcome:
    """One verdict."""
    (execution,) = box.judge([Job("bench", code, "f", TEST)])
    return execution.outcome


def bare_fork() -> None:
    """The least that any process costs here."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def two_workers() -> dict[str, Any]:
    """Trivial programs per second with two fork servers."""
    count = 600
    with open_sandbox(workers=2) as box:
        jobs = [Job(str(n), TRIVIAL, "f", TEST) for n in range(count)]
        list(box.judge(jobs[:WARM_UP]))
        started = time.perf_counter()
        passed = sum(execution.outcome is Outcome.PASSED for execution in box.judge(jobs))
        seconds = time.perf_counter() - started
    return {"two_workers_per_s": round(passed / seconds, 1), "two_workers_passed": passed == count}


def soak(count: int) -> dict[str, Any]:
    """Programs of all endings in a row; what we hold before and after."""
    with open_sandbox(workers=2) as box:
        list(box.judge(soak_jobs(200)))
        before = holdings()
        wrong = sum(e.outcome is not ENDINGS[int(e.job_id) % len(ENDINGS)][1] for e in box.judge(soak_jobs(count)))
        after = holdings()
    return {"soak": {"programs": count, "wrong_outcomes": wrong, "before": before, "after": after}}


def soak_jobs(count: int) -> Iterator[Job]:
    """Jobs whose id tells the outcome that is right."""
    for n in range(count):
        yield Job(str(n), ENDINGS[n % len(ENDINGS)][0], "f", TEST)


def holdings() -> dict[str, int]:
    """Descriptors of this process; processes below it; resident memory of all."""
    below = descendants()
    resident = sum(resident_bytes(pid) for pid in (os.getpid(), *below))
    return {"descriptors": len(os.listdir("/proc/self/fd")), "processes": len(below), "resident_bytes": resident}


def resident_bytes(pid: int) -> int:
    """Of one process."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def killed() -> dict[str, Any]:
    """SIGKILL to a parent in the middle of two endless programs: seconds until all below it is gone."""
    with adopting():
        known = descendants()
        root = str(Path(__file__).resolve().parents[1])
        environment = {**os.environ, "PYTHONPATH": root}
        with subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE, env=environment) as victim:
            assert victim.stdout is not None
            victim.stdout.readline()
            time.sleep(0.3)
            below = descendants() - known - {victim.pid}
            victim.send_signal(signal.SIGKILL)
            started = time.perf_counter()
            while below & descendants() and time.perf_counter() - started < 10 * AIM_KILLED_S:
                time.sleep(0.002)
            seconds = time.perf_counter() - started
    return {"killed": {"processes": len(below), "gone_after_s": round(seconds, 3)}}


def metering() -> dict[str, Any]:
    """What an empty call costs on the meter, and how near a loop of 5 ms by the program's own clock comes to 5 ms."""
    spin = "import time\ndef f(s):\n end = time.thread_time() + s\n while time.thread_time() < end: pass"
    with open_sandbox() as box:
        with box.session("def f(x): return x", "f") as empty:
            floor = statistics.median(empty.call([[1]]).cpu_s for _ in range(100))
        with box.session(spin, "f") as session:
            charged = statistics.median(session.call([[0.005]]).cpu_s for _ in range(50))
    return {"metering": {"empty_call_us": round(1e6 * floor, 1), "loop_of_5_ms_is_ms": round(1000 * charged, 3)}}


def missed(figures: dict[str, Any]) -> list[str]:
    """Aims that were not reached."""
    before, after = figures["soak"]["before"], figures["soak"]["after"]
    aims = {
        "at most 8 ms per trivial program": figures["trivial"]["median_ms"] <= 1000 * AIM_TRIVIAL_S,
        "every outcome of the soak right": figures["soak"]["wrong_outcomes"] == 0,
        "no growth of descriptors": after["descriptors"] <= before["descriptors"],
        "no growth of processes": after["processes"] <= before["processes"],
        "no growth of memory": after["resident_bytes"] - before["resident_bytes"] <= MAX_GROWTH_BYTES,
        "nothing left 1 s after SIGKILL": figures["killed"]["gone_after_s"] <= AIM_KILLED_S,
    }
    return [name for name, reached in aims.items() if not reached]


def as_text(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"tier {figures['tier']}: {', '.join(figures['layers'])}   load average {figures['load_average'][0]:.1f}",
        f"open and prove      {figures['open_s']} s",
        *(
            _spread_line(name.replace("_", " "), figures[name])
            for name in ("trivial", "trivial_alone", "bare_fork", "fresh_interpreter")
        ),
        f"trivial / fork      {figures['trivial']['median_ms'] / figures['bare_fork']['median_ms']:.1f}",
        f"two workers         {figures['two_workers_per_s']} programs/s",
        f"soak                {json.dumps(figures['soak'])}",
        f"SIGKILL             {json.dumps(figures['killed'])}",
        f"metering            {json.dumps(figures['metering'])}",
        f"missed              {'; '.join(figures['missed']) or 'nothing'}",
    ]
    return "\n".join(lines)


def _spread_line(name: str, figures: dict[str, float]) -> str:
    return f"{name:<20}{figures['median_ms']} ms [{figures['p10_ms']}–{figures['p90_ms']}]"


if __name__ == "__main__":
    sys.exit(main())
