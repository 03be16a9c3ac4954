"""The processes of one job, forked together: a checker, its candidates, and the sockets between them.

None is used twice. To fork the next job's while one runs was tried and taken out: on two cores, with one worker or with two, a
trivial program took as long (11.5 and 11.4 ms in turns), because the cores and the fork server are busy already.
"""

from __future__ import annotations

import socket

from cpu_codegen.sandbox.forkserver import ChildSpec, End, ForkServer
from cpu_codegen.sandbox.frames import Channel
from cpu_codegen.schema import Limits

_CHECKER_LEAST_BYTES, _CHECKER_MOST_BYTES = 1 << 30, 4 << 30  # else as much as a candidate may have


class Crew:
    """Living processes, the checker first among `children`; `channel` leads to it. `end` must be called. Raises HarnessError."""

    def __init__(self, server: ForkServer, limits: Limits, *, candidates: int) -> None:
        self.server = server
        ours, checkers = socket.socketpair()
        pairs = [socket.socketpair() for _ in range(candidates)]
        try:
            fds = (checkers.fileno(), *(mine.fileno() for mine, _ in pairs))
            specs = [ChildSpec("checker", checker_bytes(limits), None, fds)]
            specs += [
                ChildSpec("candidate", limits.memory_bytes, limits.cpu_s, (theirs.fileno(),)) for _, theirs in pairs
            ]
            self.children = server.fork(specs)
            self.channel = Channel(ours.detach())
        finally:
            for end in (ours, checkers, *(end for pair in pairs for end in pair)):
                end.close()

    def end(self) -> list[End]:
        """Kills them all and says how each ended. Raises HarnessError."""
        self.channel.close()
        return self.server.reap(self.children)


def checker_bytes(limits: Limits) -> int:
    """Memory of the checker. A frame of 64 MB can hold a value of 2 GB, in small objects; no program shall cost a machine that."""
    return max(_CHECKER_LEAST_BYTES, min(_CHECKER_MOST_BYTES, limits.memory_bytes))
