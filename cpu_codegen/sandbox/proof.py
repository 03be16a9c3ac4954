"""Proves a sandbox by attacking it: property → the layer that enforces it, or NOT_ENFORCED. No version is trusted.

One candidate tries everything (inside/attacker.py) at live targets (field.py); two more try to forge a verdict. What it says
and what the targets saw must both be clean. About 40 ms. Not covered: hostile programs from a file (attacks.py).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.field import Field
from cpu_codegen.sandbox.forkserver import ForkServer
from cpu_codegen.sandbox.session import Session, SessionFailed
from cpu_codegen.sandbox.tiers import Plan
from cpu_codegen.schema import AssertTask, Job, Limits, Outcome

if TYPE_CHECKING:
    from cpu_codegen.sandbox.box import Sandbox

NOT_ENFORCED = "NOT enforced"
REQUIRED = ("writes", "network", "processes", "signals", "memory", "verdict", "leftovers")
_ATTACKER = Path(__file__).with_name("inside") / "attacker.py"
_LIMITS = Limits(wall_s=10.0, call_s=10.0, cpu_s=10.0, memory_bytes=256 << 20)
_TEST = "_r = f(2)\nassert _r == 3\nassert f(10) == 11"
_FORGERIES = {
    "an object that equals everything": "class E:\n    def __eq__(self, other): return True\ndef f(x): return E()",
    "an early exit": "import os\ndef f(x): os._exit(0)",
}
_HONEST = "def f(x): return x + 1"
_STAYS = """
import signal, threading, time
def stay(x):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=time.sleep, args=(600,)).start()
"""


def prove(sandbox: Sandbox, server: ForkServer) -> dict[str, str]:
    """Property → who enforces it, verified just now. Raises MachineError when not even a harmless program runs.

    What held without a layer that is meant to hold it, by the machine's own permissions, counts as NOT_ENFORCED.
    """
    _require_honest(sandbox)
    breaches = attack(server, uid=sandbox.plan.uid)
    forged = [name for name, code in _FORGERIES.items() if _outcome(sandbox, code) is Outcome.PASSED]
    breaches["verdict"] = forged
    breaches["leftovers"] = _left_over(server)
    enforcers = enforcers_of(sandbox.plan)
    return {name: NOT_ENFORCED if broken else enforcers.get(name) or NOT_ENFORCED for name, broken in breaches.items()}


def _require_honest(sandbox: Sandbox) -> None:
    (execution,) = sandbox.judge([_job(_HONEST)])
    if execution.outcome is not Outcome.PASSED:
        said = f"{execution.outcome} {execution.detail} {execution.message}"
        raise MachineError(f"the sandbox cannot run a trivial program: {said}", remedy="cpu-codegen doctor")


def _outcome(sandbox: Sandbox, code: str) -> Outcome:
    (execution,) = sandbox.judge([_job(code)])
    return execution.outcome


def _job(code: str) -> Job:
    return Job("proof", code, "f", AssertTask(_TEST), _LIMITS)


def attack(server: ForkServer, *, uid: int | None = None) -> dict[str, list[str]]:
    """Property → what succeeded against it: said by the attacker, or seen by its targets, which are its own (`uid`)."""
    with Field(with_victim=False, uid=uid) as targets:
        breaches = _said(server, targets)
        breaches["memory"] = _memory_breach(server)
        for harm in targets.harm():
            breaches["network" if harm.startswith("network") else "writes"].append(harm)
    return breaches


def _said(server: ForkServer, targets: Field) -> dict[str, list[str]]:
    """A violation that ends the attacker tells nothing of the rest, so it counts against every property."""
    arguments = {
        "secret": targets.secret_path,
        "folder": targets.folder,
        "tcp": targets.port("tcp"),
        "udp": targets.port("udp"),
        "unix": targets.unix_path,
        "victims": [targets.victim_pid],
    }
    try:
        with Session(server, _ATTACKER.read_text(encoding="utf-8"), "attack", limits=_LIMITS) as session:
            outputs = session.call([values.encode([arguments])], fetch=True).outputs or [None]
        said: Any = values.decode(outputs[0])
        return {str(name): [str(word) for word in words] for name, words in said.items()}
    except SessionFailed as error:
        raise _not_made(error) from error


def _not_made(error: SessionFailed) -> MachineError:
    """A program of the proof's own did not run to its end: nothing is known then."""
    return MachineError(f"the proof of the sandbox could not be made: {error}", remedy="cpu-codegen doctor")


def _memory_breach(server: ForkServer) -> list[str]:
    """Twice its limit, every page touched, and held for a while: an error or death is what a limit looks like."""
    code = "import time\ndef take(n):\n    held = bytearray(n)\n    held[::4096] = b'x' * len(held[::4096])\n    time.sleep(0.2)"
    try:
        with Session(server, code, "take", limits=_LIMITS) as session:
            session.call([[2 * _LIMITS.memory_bytes]])
    except SessionFailed:
        return []
    return [f"held {2 * _LIMITS.memory_bytes >> 20} MiB"]


def _left_over(server: ForkServer) -> list[str]:
    """A program that ignores signals, and has a thread that sleeps on, is closed: is there anything of it, or did it end us?"""
    try:
        with Session(server, _STAYS, "stay", limits=_LIMITS) as session:
            session.call([[1]])
            pid = session.host_pid
    except SessionFailed as error:
        raise _not_made(error) from error
    stayed = ["a program that was closed"] if _exists(pid) else []
    return stayed if server.is_alive() else [*stayed, "the fork server was killed"]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)  # refused: it is there, and another uid's
    return True


def enforcers_of(plan: Plan) -> dict[str, str]:
    """Property → the layers that are meant to enforce it."""
    if plan.seatbelt:
        kept = ("reads", "hidden files", "writes", "network", "processes", "signals")
        watched = {"memory": "watchdog", "verdict": "separate checker", "leftovers": "kill by the fork server"}
        return {**dict.fromkeys(kept, "Seatbelt"), **watched}
    files = [*(["Landlock"] if plan.landlock else []), *(["namespaces"] if plan.namespaces else [])]
    return {
        "reads": " + ".join(files),
        "hidden files": "namespaces" if plan.namespaces else "",
        "writes": " + ".join([*files, "seccomp", "rlimits"]),
        "network": "seccomp" + (" + Landlock" if plan.landlock else "") + (" + namespaces" if plan.namespaces else ""),
        "processes": "seccomp",
        "signals": "seccomp",
        "memory": "rlimits",
        "verdict": "separate checker",
        "leftovers": "pidfd kill",
    }


def require(properties: dict[str, str], *, allow_weak: bool) -> None:
    """Refuses a sandbox that leaks, except reading where that was asked for. Raises MachineError."""
    required = REQUIRED if allow_weak else (*REQUIRED, "reads")
    missing = [name for name in required if properties.get(name) in (None, "", NOT_ENFORCED)]
    if missing:
        raise MachineError(
            f"the sandbox does not hold: {', '.join(missing)} not enforced (attacked and breached)",
            remedy="cpu-codegen doctor",
        )
