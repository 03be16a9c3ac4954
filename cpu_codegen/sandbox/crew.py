"""The processes of one job, forked together: a checker, its candidates, and the sockets between them.

A crew may be asked for before its job is known: while one job runs, the fork server already makes the next one's processes, so that
a worker with jobs waiting does not wait for forks. A crew serves one job; none is used twice.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from cpu_codegen.sandbox.forkserver import Child, ChildSpec, End, ForkServer
from cpu_codegen.sandbox.frames import Channel

_CHECKER_MEMORY_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class CrewSpec:
    """How many candidates, and the limits of each. `imports`: what the fork server had loaded for them."""

    candidates: int
    memory_bytes: int
    cpu_s: float
    imports: frozenset[str] = frozenset()


class Crew:
    """Asked for when made; `children` waits for them. The checker comes first. `end` must be called."""

    def __init__(self, server: ForkServer, spec: CrewSpec) -> None:
        self.server = server
        self.spec = spec
        ours, checkers = socket.socketpair()
        pairs = [socket.socketpair() for _ in range(spec.candidates)]
        try:
            fds = (checkers.fileno(), *(mine.fileno() for mine, _ in pairs))
            specs = [ChildSpec("checker", _CHECKER_MEMORY_BYTES, None, fds)]
            specs += [ChildSpec("candidate", spec.memory_bytes, spec.cpu_s, (theirs.fileno(),)) for _, theirs in pairs]
            self._forking = server.begin_fork(specs)
            self.channel = Channel(ours.detach())
        finally:
            for end in (ours, checkers, *(end for pair in pairs for end in pair)):
                end.close()

    def children(self) -> list[Child]:
        """The checker and the candidates. Raises HarnessError when they could not be forked."""
        return self._forking.children()

    def end(self) -> list[End]:
        """Kills them all and says how each ended. Raises HarnessError."""
        self.channel.close()
        return self.server.reap(self.children())
