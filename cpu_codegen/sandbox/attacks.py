"""Hostile programs against the sandbox: `doctor --attack FILE`, and the same for tests. One JSON object a line:

    id      name of the program
    src     its source, or src_expr, an expression that makes it (evaluated in the sandbox, never here)
    test    statements that judge it; the entry point is f
    arch    the machine that it is for; elsewhere it is skipped
    want    verdicts that are right, and property, what it attacks (both read by tests, not here)
    harm    "peak200": it hides a peak of 200 MB, so a smaller reading is harm

The verdict is pass, fail, timeout, harness_error or skipped. Harm is what was reached outside: see field.py.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.numbered_lines import Line, numbered_lines
from cpu_codegen.sandbox.box import Sandbox
from cpu_codegen.sandbox.descendants import adopting, descendants
from cpu_codegen.sandbox.field import Field
from cpu_codegen.sandbox.layers.kernel import machine
from cpu_codegen.schema import AssertTask, Execution, Job, Limits, Outcome

AttackVerdict = Literal["pass", "fail", "timeout", "harness_error", "skipped"]

DEFAULT_TEST = "_r=f(2)\nassert _r==3, repr(_r)[:300]\nassert f(10)==11"
LIMITS = Limits(wall_s=3.0, call_s=3.0, cpu_s=5.0, memory_bytes=1 << 30)
_MAX_LINE_BYTES = 64 << 20
_SHAPE = '{"id": "…", "src": "…"}'
_TEXTS = ("id", "src", "src_expr", "test", "arch", "harm", "property")
_MEMORY_SLACK = 1.15
_HIDDEN_PEAK_BYTES = 200 << 20
_LEAVE_S = 0.5  # how long a killed process may take to vanish
_TOKEN_VARIABLE = "HF_TOKEN"


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile (or honest but unusual) program."""

    id: str
    src: str
    test: str = DEFAULT_TEST
    arch: str = ""
    want: tuple[str, ...] = ()
    harm: str = ""
    property: str = ""


@dataclass(frozen=True, slots=True)
class AttackResult:
    """What became of one: the verdict, seconds of wall time until it, and the harm that it did."""

    id: str
    verdict: AttackVerdict
    seconds: float
    harm: list[str] = field(default_factory=list)
    detail: str = ""


def read_attacks(path: Path) -> list[Attack]:
    """The programs of a file. Raises UsageError with the line of what is wrong; then nothing is executed."""
    found = [_attack(line) for line in numbered_lines(path, max_bytes=_MAX_LINE_BYTES, shape=_SHAPE)]
    if not found:
        raise UsageError(f"{path} holds no programs", remedy=f"one JSON object a line: {_SHAPE}")
    return found


def _attack(line: Line) -> Attack:
    fields = line.record()
    texts = {name: fields[name] for name in _TEXTS if fields.get(name) is not None}
    wrong = [name for name, text in texts.items() if not isinstance(text, str)]
    if wrong or "id" not in texts or not {"src", "src_expr"} & texts.keys():
        line.refuse(f'"{wrong[0]}" is no text' if wrong else "no id, or no src", f"each line is {_SHAPE}")
    want = fields.get("want") or []
    want = [want] if isinstance(want, str) else want
    if not isinstance(want, list):
        line.refuse('"want" is no list of verdicts', '"want": ["fail", "timeout"]')
    expression = texts.pop("src_expr", "")
    return Attack(**{"src": _evaluated(expression), **texts}, want=tuple(want))


def _evaluated(expression: str) -> str:
    """A program that evaluates the expression and becomes what it gives."""
    return f"exec(compile(eval({expression!r}), '<candidate>', 'exec', dont_inherit=True, optimize=0))\n"


def run_attacks(attacks: Iterable[Attack], sandbox: Sandbox, *, limits: Limits = LIMITS) -> Iterator[AttackResult]:
    """Runs one after the other; after each a harmless program must still pass. Raises MachineError where there is no Linux."""
    if not sys.platform.startswith("linux"):
        raise MachineError(
            "hostile programs from a file need Linux, whose /proc shows what they leave", remedy="run on Linux"
        )
    with adopting(), _token_in_environment() as token:
        for attack in attacks:
            if attack.arch and attack.arch != machine():
                yield AttackResult(attack.id, "skipped", 0.0)
            else:
                yield _run(attack, sandbox, token, limits)


@contextlib.contextmanager
def _token_in_environment() -> Iterator[str]:
    """A secret where users keep theirs."""
    before, token = os.environ.get(_TOKEN_VARIABLE), "SECRET-" + os.urandom(8).hex()
    os.environ[_TOKEN_VARIABLE] = token
    try:
        yield token
    finally:
        del os.environ[_TOKEN_VARIABLE]
        if before is not None:
            os.environ[_TOKEN_VARIABLE] = before


def _run(attack: Attack, sandbox: Sandbox, token: str, limits: Limits) -> AttackResult:
    with Field(uid=sandbox.plan.uid) as targets:
        servers, known = sandbox.server_pids(), descendants()
        started = time.perf_counter()
        task = AssertTask(targets.fill(attack.test))
        (execution,) = sandbox.judge([Job(attack.id, targets.fill(attack.src), "f", task, limits)])
        seconds = time.perf_counter() - started
        harm = targets.harm() + _harm_in(execution, (targets.secret, token), attack)
        if not servers <= sandbox.server_pids():  # one more is no harm: programs that name numpy have their own
            harm.append("fork server: it had to be started anew")
        harm += _left_over(known | sandbox.server_pids())
    harm += _next_job_fails(sandbox)
    return AttackResult(attack.id, _verdict(execution), round(seconds, 3), harm, execution.detail)


def _verdict(execution: Execution) -> AttackVerdict:
    names: dict[Outcome, AttackVerdict] = {
        Outcome.PASSED: "pass",
        Outcome.TIMEOUT: "timeout",
        Outcome.HARNESS_ERROR: "harness_error",
    }
    return names.get(execution.outcome, "fail")


def _harm_in(execution: Execution, secrets: tuple[str, ...], attack: Attack) -> list[str]:
    """Secrets in what the program could say, memory over its limit, a hidden peak."""
    said, peak = repr(execution), execution.peak_rss_bytes or 0
    harm = ["secret: read and told"] if any(secret in said for secret in secrets) else []
    if "LEAK" in said:
        harm.append("leak: the program says that it found something")
    if peak > _MEMORY_SLACK * LIMITS.memory_bytes:
        harm.append(f"memory: {peak >> 20} MiB")
    if "peak200" in attack.harm and peak < _HIDDEN_PEAK_BYTES:
        harm.append(f"meter: a peak of 200 MiB reads as {peak >> 20} MiB")
    return harm


def _left_over(known: set[int]) -> list[str]:
    """Processes that were not there before and do not vanish."""
    deadline = time.monotonic() + _LEAVE_S
    while (left := descendants() - known) and time.monotonic() < deadline:
        time.sleep(0.01)
    return [f"processes: {len(left)} left"] if left else []


def _next_job_fails(sandbox: Sandbox) -> list[str]:
    (execution,) = sandbox.judge([Job("next", "def f(x): return x + 1", "f", AssertTask(DEFAULT_TEST), LIMITS)])
    return [] if execution.outcome is Outcome.PASSED else [f"next program: {execution.outcome} {execution.detail}"]


def as_json(result: AttackResult) -> dict[str, Any]:
    """The line that `doctor --attack` prints."""
    return {"id": result.id, "verdict": result.verdict, "seconds": result.seconds, "harm": result.harm}
