"""Runs untrusted code: nothing escapes, nothing is forged, every figure is read from outside.

    parent (trusted)                                   box.py, run.py, session.py, probe.py, parser.py
     └─ fork servers of a worker                       servers.py, forkserver.py ── inside/server.py
         ├─ candidate: layers on, then the program     inside/candidate.py
         ├─ checker: same layers, decides the verdict  inside/checker.py, cpu_codegen/judge.py
         └─ probe, parser: same layers                 inside/probe.py, inside/outline.py

`values.py` is the only form in which a candidate's data leaves its process, `frames.py` the only way. `layers/` holds one
file per isolation layer, `tiers.py` picks those that work here, `attacks.py` proves it by attack.

Not covered: what a problem or a suite is, what is done with a verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cpu_codegen.sandbox.box import Sandbox, open_sandbox
    from cpu_codegen.sandbox.parser import Parser, open_parser
    from cpu_codegen.sandbox.probe import ProbeFailed, ProblemProbe
    from cpu_codegen.sandbox.session import Measured, Session, SessionFailed

__all__ = [
    "Measured",
    "Parser",
    "ProbeFailed",
    "ProblemProbe",
    "Sandbox",
    "Session",
    "SessionFailed",
    "open_parser",
    "open_sandbox",
]

_HOMES = {
    "Sandbox": "box",
    "open_sandbox": "box",
    "Parser": "parser",
    "open_parser": "parser",
    "ProbeFailed": "probe",
    "ProblemProbe": "probe",
    "Measured": "session",
    "Session": "session",
    "SessionFailed": "session",
}


def __getattr__(name: str) -> Any:
    """Late, because the fork server imports this package too and must stay small."""
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"cpu_codegen.sandbox.{_HOMES[name]}"), name)
