"""Every error that a user may see, with its exit code and the next thing to type.

The tree (exit code in brackets):

    CpuCodegenError [1: a bug]
    ├── UsageError [2]                 the command line or an input file is wrong
    ├── MachineError [3]               this machine cannot do it (no llama.cpp, no isolation, too little memory)
    ├── UnavailableError [4]           a model, data set or server cannot be had
    ├── HarnessError [5]               our own machinery failed on some samples; never counted against a model
    ├── IntegrityError [6]             a hash, a digest or a run folder disagrees
    │   └── StoreBusyError [6]         another process holds the run folder
    ├── CheckFailed [7]                a check that the user asked for did not hold
    └── Interrupted [130]              stopped by the user or a signal; resumable (SIGTERM 143, SIGHUP 129)

Third-party exceptions are mapped to these once, at the border where they arise. A failing generated program is data,
never an exception.
"""

from __future__ import annotations

import shlex
from typing import ClassVar


class CpuCodegenError(Exception):
    """An error with a cause (`str(error)`) and a remedy: what the user should type or change next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(CpuCodegenError):
    """The command line or an input file is wrong; nothing was executed."""

    exit_code = 2


class MachineError(CpuCodegenError):
    """This machine cannot do what was asked."""

    exit_code = 3


class UnavailableError(CpuCodegenError):
    """A model, a data set or a server could not be had."""

    exit_code = 4


class HarnessError(CpuCodegenError):
    """Our own machinery failed; the affected samples are neither passed nor failed."""

    exit_code = 5


class IntegrityError(CpuCodegenError):
    """A hash, a length or a stored setting disagrees with what is there."""

    exit_code = 6


class StoreBusyError(IntegrityError):
    """Another process is writing to the run folder."""


class CheckFailed(CpuCodegenError):
    """A check that was asked for (`problems validate`, `--fail-if`, `--require`) did not hold."""

    exit_code = 7


class Interrupted(CpuCodegenError):
    """Stopped by the user or by a signal; what is stored stays, the same command goes on."""

    exit_code = 130

    def __init__(self, message: str, *, remedy: str | None = None, signal_number: int = 2) -> None:
        super().__init__(message, remedy=remedy)
        self.signal_number = signal_number


def cause(error: Exception) -> str:
    """What the system says of a file, without the errno and the path, which stand beside it anyway."""
    return getattr(error, "strerror", None) or str(error)


def to_paste(*words: object) -> str:
    """`cpu-codegen show 'my runs/a'`: a remedy that can be pasted whatever a path holds."""
    return shlex.join(["cpu-codegen", *map(str, words)])
