"""The checker's process: reads a job from the parent, drives the candidates, sends the verdict. Never runs candidate code.

What it sends: ["prepared", seconds for the rest?] once the expected values are at hand (a hang before that is ours, after it the
candidate's), ["busy", seconds] for every huge output, ["finished", candidate, is gone] for one that is asked no more, ["late",
candidate] to learn for how long it waited for a core, then ["verdict", {…}]. The rules of judging are cpu_codegen/judge.py's.
"""

from __future__ import annotations

import contextlib
import functools

from cpu_codegen import judge
from cpu_codegen.sandbox.frames import Channel, ChannelClosed
from cpu_codegen.sandbox.inside.calls import Candidate
from cpu_codegen.sandbox.inside.candidate import quiet_streams


def serve(parent_fd: int, candidate_fds: list[int]) -> None:
    """Decides one job."""
    parent = Channel(parent_fd)
    with contextlib.suppress(ChannelClosed):
        job = parent.receive()
        quiet_streams()
        limits = job["limits"]

        def say(*message: object) -> None:
            parent.send(list(message))

        def late(index: int) -> float:
            say("late", index)
            return float(parent.receive())

        candidates = [
            Candidate(
                Channel(fd),
                wall_s=limits["wall_s"],
                call_s=limits["call_s"],
                on_large=functools.partial(say, "busy"),
                on_finished=functools.partial(say, "finished", index),
                on_late=functools.partial(late, index),
            )
            for index, fd in enumerate(candidate_fds)
        ]
        verdict = judge.decide(job, candidates, prepared=functools.partial(say, "prepared"))
        parent.send(["verdict", verdict])
        parent.receive_raw(1)  # stay until the meters are read
