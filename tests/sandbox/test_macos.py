"""macOS, as far as it can be proved without one: the profile's text, the plan, the watchdog, the layout of what the kernel gives.

Not proved here: that Seatbelt holds. On a Mac every `open_sandbox` attacks it and refuses what gives way.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import sysconfig
import threading

import pytest

from cpu_codegen.sandbox import meters_macos, proof, tiers
from cpu_codegen.sandbox.layers import seatbelt
from cpu_codegen.sandbox.watchdog import Watchdog


def test_the_profile_denies_all_but_reading_listed_paths() -> None:
    """Claim: default deny; files are readable below the listed paths only; nothing is writable, executable or on the network."""
    text = seatbelt.profile(["/opt/python/lib"])
    allowed = re.findall(r"^\(allow ([^\s)]+)", text, re.MULTILINE)
    assert "(deny default)" in text.splitlines()
    assert sorted(allowed) == ["file-read*", "file-read-metadata", "process-info*", "signal", "sysctl-read"]
    assert '(subpath "/opt/python/lib")' in text
    assert text.count("(target self)") == 2
    assert text.count("(") == text.count(")")


def test_paths_cannot_leave_their_string_literal() -> None:
    """Claim: quotes and backslashes in a folder's name stay inside the literal."""
    text = seatbelt.profile(['/evil") (allow default) ("\\'])
    assert '"/evil\\") (allow default) (\\"\\\\"' in text
    assert re.search(r"^\(allow default\)", text, re.MULTILINE) is None


def test_a_mac_gets_tier_d_and_its_enforcers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: on macOS the plan is Seatbelt with a memory watchdog, and no layer of Linux's is claimed."""
    sysconfig.get_config_vars()  # read for this system before it seems to be another
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(seatbelt, "available", lambda: True)
    plan = tiers.settled(tiers.choose(), {"namespaces": False, "uid": None})
    assert plan.tier == "D"
    assert set(plan.isolation().layers) == {"seatbelt", "memory watchdog", "rlimits"}
    enforcers = proof.enforcers_of(plan)
    assert set(enforcers) >= {"reads", *proof.REQUIRED}
    assert enforcers["memory"] == "watchdog"
    assert not {"seccomp", "Landlock"} & set(" ".join(enforcers.values()).split())


def test_the_kernels_record_has_the_size_of_the_header() -> None:
    """Claim: rusage_info_v4 is 296 bytes, so that the call writes inside our buffer."""
    assert ctypes.sizeof(meters_macos._Usage) == 296


def test_the_watchdog_kills_what_exceeds_its_limit_and_nothing_else() -> None:
    """Claim: of two watched processes the one over its limit is killed; a forgotten and a vanished one are left alone."""
    small, large = (subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _ in range(2))
    readings = {small.pid: 10, large.pid: 1000, 0: 1000}
    looked = threading.Event()

    def read(pid: int) -> int:
        if pid == -1:
            looked.set()
            raise ProcessLookupError
        return readings[pid]

    watchdog = Watchdog(read, lambda pid: os.kill(pid, signal.SIGKILL))
    try:
        watchdog.watch(small.pid, 100)
        watchdog.watch(large.pid, 100)
        assert large.wait(20) == -signal.SIGKILL
        watchdog.watch(-1, 1)
        assert looked.wait(20)
        watchdog.forget(small.pid)
        assert small.poll() is None
    finally:
        watchdog.close()
        for process in (small, large):
            process.kill()
            process.communicate()
