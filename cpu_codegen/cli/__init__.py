"""The command line: one file per command; parse → call → render. Owns exit codes, signals and how errors are shown.

Commands import what they need when they run, so that `--help` answers at once and every command that does not generate works
without llama-cpp-python. typer itself is loaded when a command line has to be parsed.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from cpu_codegen.errors import CpuCodegenError, Interrupted, MachineError

if TYPE_CHECKING:
    from cpu_codegen.cli.commands import app as app
    from cpu_codegen.cli.usage import invoke as invoke
else:

    def __getattr__(name: str) -> Any:
        """`app` and `invoke`, where they are asked for."""
        if name == "app":
            from cpu_codegen.cli.commands import app

            return app
        if name == "invoke":
            from cpu_codegen.cli.usage import invoke

            return invoke
        raise AttributeError(name)


def main() -> None:
    """Runs the command and turns errors into `error: … / try: …` and an exit code."""
    _utf8_streams()
    _install_signals()
    try:
        with _stdout_written():
            if not _quick(sys.argv[1:]):
                _parsed(sys.argv[1:])
    except CpuCodegenError as error:
        sys.exit(_fail(error))
    except KeyboardInterrupt:
        sys.exit(_fail(Interrupted("interrupted", remedy="the same command again")))


@contextmanager
def _stdout_written() -> Iterator[None]:
    """What is left of the output is written before the command counts as done.

    A reader that went away (a pager, `head`) is an end like any other; MachineError where the disk behind stdout is full.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _forget_stdout()
        raise MachineError(f"cannot write the output: {error.strerror}", remedy="free some space") from error
    except BaseException:
        try:
            sys.stdout.flush()
        except OSError:
            _forget_stdout()
        raise


def _forget_stdout() -> None:
    """Nobody takes what is left, and Python has nothing to complain about at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parsed(arguments: list[str]) -> None:
    from cpu_codegen.cli.commands import app
    from cpu_codegen.cli.usage import invoke

    invoke(app, arguments)


def _quick(arguments: list[str]) -> bool:
    """Answers the bare `models list` at once: what typer loads to parse options takes longer than the answer."""
    if arguments not in (["models", "list"], ["models", "ls"]):
        return False
    from cpu_codegen.cli.models_list import write_list

    write_list()
    return True


def _fail(error: CpuCodegenError) -> int:
    if os.environ.get("CPU_CODEGEN_DEBUG"):
        import traceback

        traceback.print_exception(error)
    from cpu_codegen.report.escape import for_terminal

    print(f"error: {for_terminal(str(error))}", file=sys.stderr)
    if error.remedy:
        print(f"try:   {for_terminal(error.remedy)}", file=sys.stderr)
    if isinstance(error, Interrupted):
        return 128 + error.signal_number
    return error.exit_code


def _utf8_streams() -> None:
    """stdout and stderr speak UTF-8 with \\n whatever the locale; what cannot be shown is escaped, never fatal."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def _install_signals() -> None:
    """SIGTERM and SIGHUP take the same orderly path as Ctrl-C."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(
        f"stopped by {signal.Signals(number).name}", remedy="the same command goes on", signal_number=number
    )
