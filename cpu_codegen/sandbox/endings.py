"""How a sandboxed process ended, in the words of a verdict. Not covered: what a living one answered (cpu_codegen/judging/)."""

from __future__ import annotations

import os

from cpu_codegen.sandbox.forkserver import End

Ending = dict[str, str]  # outcome, detail, message


def violation(message: str) -> Ending:
    """The program broke the protocol."""
    return {"outcome": "error", "detail": "violation", "message": message}


def timeout(clock: str, limit_s: float) -> Ending:
    """A limit of ours, on the clock `cpu` or `wall`."""
    return {"outcome": "timeout", "detail": clock, "message": f"used over {limit_s:g} s of {clock} time"}


CLOSED_CHANNEL = violation("the program closed its channel")


def ending_of(end: End, cpu_limit_s: float) -> Ending:
    """The verdict on a program whose process ended by itself or by a limit of the kernel's."""
    if end.signal_name == "SIGXCPU" or (end.signal_name == "SIGKILL" and end.cpu_s >= cpu_limit_s):
        return {"outcome": "timeout", "detail": "cpu", "message": f"used over {cpu_limit_s:g} s of CPU time"}
    if end.signal_name == "SIGSYS":
        return violation("a forbidden system call")
    if end.signal_name:
        return {"outcome": "error", "detail": f"crash:{end.signal_name}", "message": f"killed by {end.signal_name}"}
    code = os.WEXITSTATUS(end.status) if os.WIFEXITED(end.status) else -1
    return {"outcome": "error", "detail": "exit", "message": f"the program ended itself with code {code}"}
