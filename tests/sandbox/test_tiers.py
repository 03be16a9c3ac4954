"""Which layers are chosen, and what is refused."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox import Sandbox, open_sandbox, proof, tiers
from cpu_codegen.sandbox.field import Field
from cpu_codegen.sandbox.forkserver import Child, ForkServer
from cpu_codegen.sandbox.layers import landlock


def plan(**changes: object) -> tiers.Plan:
    """A plan of an ordinary user that wants everything."""
    fields: dict[str, object] = {
        "landlock": True, "seccomp": True, "namespaces": True, "drop_uid": True, "is_root": False, "allow_weak": False,
        "readable": (), "packages": {},
    }  # fmt: skip
    return tiers.Plan(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("has_landlock", "has_namespaces", "tier"), [(True, True, "A"), (True, False, "A"), (False, True, "B")]
)
def test_landlock_makes_tier_a_and_namespaces_alone_tier_b(has_landlock: bool, has_namespaces: bool, tier: str) -> None:
    """Claim: the tier says which file system layer is in force."""
    found = tiers.settled(plan(landlock=has_landlock), {"namespaces": has_namespaces, "uid": None})
    assert found.tier == tier
    assert ("namespaces" in found.isolation().layers) is has_namespaces


def test_seccomp_alone_is_refused_unless_asked_for() -> None:
    """Claim: a machine where reading leaks runs nothing without --allow-weak-isolation, and the error names that flag."""
    facts = {"namespaces": False, "uid": None}
    with pytest.raises(MachineError) as refused:
        tiers.settled(plan(landlock=False), facts)
    assert "--allow-weak-isolation" in str(refused.value.remedy)
    assert tiers.settled(plan(landlock=False, allow_weak=True), facts).tier == "C"


def test_root_that_keeps_its_uid_is_refused_where_reading_leaks() -> None:
    """Claim: no flag admits root with seccomp alone: it would read every file of the machine."""
    with pytest.raises(MachineError, match="root"):
        tiers.settled(plan(landlock=False, is_root=True, allow_weak=True), {"namespaces": False, "uid": None})


def test_nothing_enforced_is_always_refused() -> None:
    """Claim: without seccomp there is no sandbox, whatever is allowed."""
    with pytest.raises(MachineError, match="no isolation"):
        open_sandbox(masked=["seccomp"], allow_weak=True)


@pytest.mark.parametrize("platform", ["win32", "freebsd14"])
def test_a_platform_without_layers_is_refused_with_a_remedy(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: where no layer of ours exists, nothing runs and the error says where it would."""
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(MachineError) as refused:
        tiers.choose(allow_weak=True)
    assert "Linux" in str(refused.value.remedy)


@pytest.mark.parametrize("masked", [[], ["namespaces"], ["uid"], ["landlock"]], ids=str)
def test_every_property_that_is_claimed_was_attacked(masked: list[str]) -> None:
    """Claim: in each set of layers the live attacks fail, so that the words "enforced by" are earned."""
    try:
        sandbox = open_sandbox(masked=masked)
    except MachineError as error:
        pytest.skip(f"not on this machine: {error}")
    with sandbox:
        properties = sandbox.isolation.properties
        held = {name for name, enforcer in properties.items() if enforcer != proof.NOT_ENFORCED}
        assert held >= {"reads", *proof.REQUIRED}
        assert ("hidden files" in held) is ("namespaces" in sandbox.isolation.layers)


def test_a_breach_is_seen_and_refused() -> None:
    """Claim: the proof is no formality. Against a process without any layer every attack succeeds, is seen, and is refused."""
    naked = plan(landlock=False, seccomp=False, namespaces=False, drop_uid=False, allow_weak=True)
    server = ForkServer(naked)
    try:
        breaches = proof.attack(server)
    finally:
        server.close()
    for name in ("reads", "hidden files", "writes", "network", "processes", "signals"):
        assert breaches[name], name
    assert {"fork", "spawn"} <= set(breaches["processes"])
    assert {"tcp", "udp", "unix"} <= set(breaches["network"])
    assert any(word.startswith("canary") for word in breaches["writes"])  # seen by the target, not only said
    enforced = {name: proof.NOT_ENFORCED if found else "x" for name, found in breaches.items()}
    with pytest.raises(MachineError, match="writes, network, processes, signals"):
        proof.require({**enforced, "verdict": "x", "leftovers": "x"}, allow_weak=True)


def test_reading_leaks_without_landlock_and_namespaces_and_that_is_said() -> None:
    """Claim: in tier C the attacker's reading succeeds, is reported as NOT enforced, and nothing else gives way."""
    if os.geteuid() == 0 and not _root_can_become_nobody():
        with pytest.raises(MachineError, match="root"):
            open_sandbox(masked=["landlock", "namespaces"], allow_weak=True)
        return
    with open_sandbox(masked=["landlock", "namespaces"], allow_weak=True) as sandbox:
        properties = sandbox.isolation.properties
        assert sandbox.isolation.tier == "C"
        assert properties["reads"] == proof.NOT_ENFORCED
        assert proof.NOT_ENFORCED not in [properties[name] for name in proof.REQUIRED]


def _root_can_become_nobody() -> bool:
    """Is every folder on the way to the interpreter open to all?"""
    folders = []
    path = os.path.dirname(os.path.realpath(os.__file__))
    while path != "/":
        folders.append(path)
        path = os.path.dirname(path)
    return all(os.stat(folder).st_mode & 0o005 == 0o005 for folder in folders)


def test_the_sandbox_says_what_holds(box: Sandbox) -> None:
    """Claim: tier, layers and verified properties are there for every result to carry."""
    found = box.isolation
    assert found.tier in ("A", "B")
    assert "seccomp" in found.layers
    assert found.properties["verdict"] == "separate checker"
    assert (landlock.abi() > 0) is ("landlock" in found.layers)


def test_root_that_keeps_its_uid_needs_landlock() -> None:
    """Claim: namespaces alone are not enough where the program would own what it reaches."""
    facts = {"namespaces": True, "uid": None}
    with pytest.raises(MachineError, match="root"):
        tiers.settled(plan(landlock=False, is_root=True, allow_weak=True), facts)
    assert tiers.settled(plan(landlock=True, is_root=True), facts).tier == "A"
    assert tiers.settled(plan(landlock=False, is_root=True), {**facts, "uid": 65534}).tier == "B"


def test_what_held_without_a_layer_for_it_is_not_called_enforced(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: where no layer is meant to keep a property, an attack that failed for another reason proves nothing."""
    names = ("reads", "hidden files", "writes", "network", "processes", "signals", "memory")
    monkeypatch.setattr(proof, "attack", lambda server, *, uid: {name: [] for name in names})
    monkeypatch.setattr(box, "plan", plan(landlock=False, namespaces=False))
    found = proof.prove(box, box.workers[0].servers.plain)
    assert found["reads"] == found["hidden files"] == proof.NOT_ENFORCED
    assert found["writes"] == "seccomp + rlimits"


def test_a_program_that_outlives_its_session_is_seen(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: "leftovers" is verified by looking for the process, not by trust in the kill."""
    server = box.workers[0].servers.plain
    assert proof._left_over(server) == []
    spared: list[Child] = []
    with monkeypatch.context() as without:
        without.setattr(ForkServer, "reap", lambda self, children: spared.extend(children) or [None])
        assert proof._left_over(server) == ["a program that was closed"]
    server.reap(spared)


def test_the_targets_belong_to_the_attacker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: where root's programs run as another user, file, folder and victim are that user's, in a place that it can enter."""
    if os.geteuid() != 0:
        pytest.skip("only root can give things away")
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Field(uid=65534) as targets:
        paths = (targets.folder, targets.secret_path, f"/proc/{targets.victim_pid}")
        assert [os.stat(path).st_uid for path in paths] == [65534] * 3
        assert not targets.folder.startswith(str(tmp_path))


def test_denials_are_not_written_to_the_audit_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: a kernel that can record what Landlock denies is told not to; a program could fill the log. Older ones cannot."""
    flags: list[int] = []
    monkeypatch.setattr(landlock.kernel, "syscall", lambda number, ruleset, flag: flags.append(flag.value))
    for version in (6, 7, 9):
        monkeypatch.setattr(landlock, "abi", lambda version=version: version)
        landlock.restrict(5)
    assert flags == [0, 1, 1]
