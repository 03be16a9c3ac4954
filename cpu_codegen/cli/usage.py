"""A command line run and refused: what typer finds wrong is said in the one voice of all errors, with what to type instead.

Not covered: what the commands themselves refuse; they raise UsageError with a remedy of their own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import typer

from cpu_codegen.errors import Interrupted, UsageError

PROGRAM = "cpu-codegen"

WrongUsage: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer's base of all that is wrong with a command line; it exports the subclass alone."""


def invoke(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Runs a command line. UsageError for a wrong one; SystemExit where a command or `--help` ends early.

    Without typer's own ending, which takes Ctrl-C and a closed stdout for itself.
    """
    from typer.main import get_command

    command = get_command(app)
    try:
        with command.make_context(PROGRAM, list(arguments)) as context:
            command.invoke(context)
    except WrongUsage as error:
        raise _said(error, fallback=" ".join((PROGRAM, *arguments[:1]))) from None
    except typer.Abort:
        raise Interrupted("stopped at the question", remedy="the same command again") from None
    except typer.Exit as end:
        sys.exit(end.exit_code)


def _said(error: Any, *, fallback: str) -> BaseException:
    """Typer's error as one of ours; the whole help where nothing was typed. `fallback` is the command where typer names none."""
    context = error.ctx
    if type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help(), file=sys.stderr)
        return SystemExit(error.exit_code)
    where = context.command_path if context is not None else fallback
    if hasattr(error, "possibilities"):
        return _no_such_option(error, where)
    message = _plain(error.format_message())
    if unknown := re.match(r"No such command '(.*?)'", message):
        return _no_such_command(unknown[1], context, where)
    return UsageError(message[:1].lower() + message[1:], remedy=_remedy(error, context, where))


def _plain(message: str) -> str:
    """On one line, without the words of the library that parses."""
    words = " ".join(message.split()).rstrip(".")
    return words.replace("Value error, ", "").replace("Input should be", "must be").replace(". Choose from:", ":")


def _no_such_option(error: Any, where: str) -> UsageError:
    """`run has no option --stile`: the closest first; an option of one letter has no close ones."""
    near = f"{' or '.join(list(error.possibilities)[:3])}; " if error.possibilities else ""
    return UsageError(f"{where} has no option {error.option_name}", remedy=f"{near}{where} -h lists all")


def _no_such_command(name: str, context: Any, where: str) -> UsageError:
    import difflib

    known = context.command.list_commands(context) if context is not None else []
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    remedy = f"{where} {near[0]}" if near else f"{where} -h lists all"
    return UsageError(f"{where} has no command {name!r}", remedy=remedy)


def _remedy(error: Any, context: Any, where: str) -> str:
    """Something missing: how the command is typed with it. One too many: as the model that it probably is. Else the help."""
    if context is None:
        return f"{where} -h"
    if hasattr(error, "param_type"):
        usage = " ".join(context.get_usage().removeprefix("Usage:").split())
        typed = usage.replace(" [OPTIONS]", "").replace("...", "")
        return (
            typed if error.param is None or error.param.param_type_name == "argument" else f"{typed} {_option(error)}"
        )
    extra = re.search(r"unexpected extra argument\S* \((\S+)", error.format_message())
    if extra and any("-m" in parameter.opts for parameter in context.command.params):
        return f"{where} -m {extra[1].rstrip(')')}"
    return f"{where} -h"


def _option(error: Any) -> str:
    """The missing option with a value: the first one that it may have, else what stands for it in the help."""
    parameter = error.param
    choices = re.search(r"Choose from:\s*([^\s,]+)", error.format_message())
    return f"{parameter.opts[0]} {choices[1] if choices else parameter.metavar or str(parameter.name).upper()}"
