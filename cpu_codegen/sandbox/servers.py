"""The fork servers of one user of them: a plain one, and one with numpy imported for programs that name it.

Two, because a fork takes after its server: numpy's pages make every later fork dearer and stand in its peak memory, so that what a
program seems to use would depend on what ran before it. Each is started on first use, and anew when it has ended.
"""

from __future__ import annotations

import contextlib

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox.forkserver import ForkServer
from cpu_codegen.sandbox.tiers import Plan

_PLAIN = ""


class Servers:
    """Fork servers by what they have imported. Not for several threads at a time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._is_proven = False
        self._servers: dict[str, ForkServer] = {}

    def hold_to(self, plan: Plan) -> None:
        """From now on every server has the layers of this plan, which are proved by attack on one of them. Raises MachineError."""
        self.plan, self._is_proven = plan, True
        for server in self._servers.values():
            self._require_proven(server)

    @property
    def plain(self) -> ForkServer:
        """The one with the standard library alone."""
        return self._server(_PLAIN)

    def for_code(self, code: str) -> ForkServer:
        """The one that saves a program its imports."""
        return self._server(next((name for name in self.plan.packages if name in code), _PLAIN))

    def _server(self, package: str) -> ForkServer:
        found = self._servers.get(package)
        if found is not None and not found.is_alive():
            found.close()
            found = None
        if found is None:
            found = self._servers[package] = self._started()
        if package:
            found.load(package)
        return found

    def _started(self) -> ForkServer:
        server = ForkServer(self.plan)
        if self._is_proven:
            self._require_proven(server)
        return server

    def _require_proven(self, server: ForkServer) -> None:
        if server.plan != self.plan:
            server.close()
            raise MachineError(
                "a fork server has other layers than the one that was proved by attack", remedy="cpu-codegen doctor"
            )

    def pids(self) -> set[int]:
        """Of those that run now."""
        return {server.pid for server in list(self._servers.values()) if server.is_alive()}

    def close(self) -> None:
        """Ends them; may be called twice."""
        for server in self._servers.values():
            with contextlib.suppress(OSError):
                server.close()
        self._servers.clear()
