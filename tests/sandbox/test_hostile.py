"""Every hostile program: its verdict, its time, the harm that it does not do, and the honest job after it.

tests/data/hostile.jsonl is the set that came with the task, hostile_own.jsonl our own, where each line names the property that it
attacks.
Harm covers changed canaries, files left, listeners reached, processes left, a victim killed, secrets told, memory over its limit,
a restarted fork server, and a harmless program that fails afterwards (cpu_codegen/sandbox/field.py and attacks.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.sandbox.attacks import LIMITS, Attack, read_attacks, run_attacks

DATA = Path(__file__).resolve().parent.parent / "data"
GIVEN = read_attacks(DATA / "hostile.jsonl")
OWN = read_attacks(DATA / "hostile_own.jsonl")
ENDLESS_S = 1.0  # for programs that may end as a timeout; all others have more than they need
AMPLE_S = 20.0
SLACK_S = 8.0  # a busy machine's share


def wall_s(attack: Attack) -> float:
    """The wall limit of one program."""
    return ENDLESS_S if "timeout" in attack.want else AMPLE_S


def check(attack: Attack, sandbox: Sandbox) -> None:
    """Verdict, harm and time of one program."""
    limit_s = wall_s(attack)
    limits = replace(LIMITS, wall_s=limit_s, call_s=limit_s, cpu_s=limit_s + 1)
    (result,) = run_attacks([attack], sandbox, limits=limits)
    if result.verdict == "skipped":
        pytest.skip(f"for {attack.arch}")
    assert result.verdict in attack.want, result
    assert result.harm == [], result
    assert result.seconds < limit_s + SLACK_S


@pytest.mark.parametrize("attack", [*GIVEN, *OWN], ids=lambda attack: attack.id)
def test_a_hostile_program_gets_its_verdict_and_does_no_harm(attack: Attack, box: Sandbox) -> None:
    """`want` holds the right verdicts; honest but unusual programs want "pass"."""
    check(attack, box)


@pytest.fixture(scope="module")
def without_landlock() -> Iterator[Sandbox]:
    """Tier B, as on kernels that were built without Landlock."""
    try:
        sandbox = open_sandbox(masked=["landlock"])
    except MachineError as error:
        pytest.skip(f"no namespaces here: {error}")
    with sandbox:
        assert sandbox.isolation.tier == "B"
        yield sandbox


@pytest.mark.parametrize("attack", [a for a in (*GIVEN, *OWN) if "timeout" not in a.want], ids=lambda attack: attack.id)
def test_without_landlock_namespaces_and_seccomp_hold_alone(attack: Attack, without_landlock: Sandbox) -> None:
    """The same programs but those that only burn time, which no file system layer has a part in."""
    check(attack, without_landlock)


def test_the_sets_are_as_large_as_promised() -> None:
    """All that came with the task, and at least 40 hostile ones of our own, each with the property that it attacks."""
    hostile = [attack for attack in OWN if attack.want != ("pass",)]
    assert len(hostile) >= 40
    assert all(attack.property for attack in OWN)
    assert len({attack.id for attack in (*GIVEN, *OWN)}) == len(GIVEN) + len(OWN)
    assert len(GIVEN) == 75
