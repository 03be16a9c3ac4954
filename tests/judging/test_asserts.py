"""Tests that are statements: who is to blame when a process does not even start."""

from __future__ import annotations

import socket

from cpu_codegen import judge
from cpu_codegen.sandbox.frames import Channel
from cpu_codegen.sandbox.inside.calls import Candidate


def test_a_candidate_process_that_does_not_start_is_our_fault() -> None:
    """Nothing of the program has run by then, so that no answer can be wrong: harness_error, which is tried again."""
    ours, theirs = socket.socketpair()
    theirs.close()
    candidate = Candidate(Channel(ours.detach()), wall_s=1.0, call_s=1.0)
    task = {"kind": "assert", "prelude": "", "test": "assert f(2) == 3", "call_check": False}
    try:
        found = judge.decide({"task": task, "entry_point": "f", "code": ""}, [candidate], lambda: None)
    finally:
        candidate.channel.close()
    assert (found["outcome"], found["detail"]) == ("harness_error", "HarnessFault")
