"""The probe's process: runs a problem file's own code (reference, naive, scaled, doctests) for those who need its values.

A problem file may be anybody's, so it runs under the same layers as a candidate. Frames: [id, request, …] → [id, 0, result] or
[id, 1, error, line of the file]. Arguments and results stay encoded, so that the parent need not rebuild them.
"""

from __future__ import annotations

import contextlib
import copy
import doctest
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from cpu_codegen.judging.brief import brief
from cpu_codegen.judging.equality import normal
from cpu_codegen.judging.problem_file import _is_right, run_file
from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.frames import Channel, ChannelClosed
from cpu_codegen.sandbox.inside.candidate import quiet_streams
from cpu_codegen.sandbox.inside.describe import describe

_OUR_FOLDER = str(Path(values.__file__).resolve().parents[1]) + os.sep


def serve(fd: int) -> None:
    """Loads one file, then answers until the other side goes away."""
    channel = Channel(fd)
    with contextlib.suppress(ChannelClosed):
        number, source, entry_point = channel.receive()
        quiet_streams()
        try:
            probe = Probe(run_file(source), entry_point)
        except BaseException as error:
            channel.send([number, 1, describe(error), line_of(error)])
            return
        channel.send([number, 0, None])
        while True:
            number, name, *arguments = channel.receive()
            try:
                reply = values.dumps([number, 0, getattr(probe, f"do_{name}")(*arguments)])
            except BaseException as error:
                reply = values.dumps([number, 1, describe(error), line_of(error)])
            channel.send_bytes(reply)


def line_of(error: BaseException) -> int:
    """The file's last line that an exception passed through; 0 where it passed none."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<problem>":
            line = trace.tb_lineno or line
        trace = trace.tb_next
    return line


class Probe:
    """The namespace of a problem file and what can be asked of it."""

    def __init__(self, namespace: dict[str, Any], entry_point: str) -> None:
        self.namespace = namespace
        self.entry_point = entry_point

    def do_facts(self) -> dict[str, Any]:
        """What the file offers."""
        space = self.namespace
        return {
            "has_naive": callable(space.get("naive")),
            "has_accept": callable(space.get("accept")),
            "has_scaled": callable(space.get("scaled")),
            "sizes": [int(size) for size in space.get("SIZES", ())],
            "growth": {str(key): str(value) for key, value in space.get("GROWTH", {}).items()},
            "cases": len(space.get("CASES", ())),
            "wrong": [str(source) for source in space.get("WRONG", ())],
        }

    def do_doctests(self) -> dict[str, Any]:
        """How many examples there are and how many fail, with the first failure's text."""
        function = self.namespace[self.entry_point]
        runner, lines = doctest.DocTestRunner(verbose=False), list[str]()
        for test in doctest.DocTestFinder(recurse=False).find(function, self.entry_point, globs=dict(self.namespace)):
            runner.run(test, out=lines.append)
        failed, tried = runner.summarize(verbose=False)
        return {"tried": tried, "failed": failed, "message": "".join(lines)[:2000]}

    def do_case(self, index: int) -> Any:
        """Arguments of one case."""
        return values.encode(list(self.namespace["CASES"][index]))

    def do_scaled(self, size: int, seed: int) -> Any:
        """Arguments of a size."""
        return values.encode(list(self.namespace["scaled"](size, seed)))

    def do_run(self, which: str, args: Any) -> Any:
        """The reference's or naive's output."""
        return values.encode(normal(self._function(which)(*values.decode(args))))

    def do_returns_iterator(self, args: Any) -> bool:
        """Is the reference's result consumed by looking at it?"""
        return isinstance(self._function("reference")(*values.decode(args)), Iterator)

    def do_lines(self, which: str, args: Any) -> int:
        """Executed lines of one call, counted by the interpreter: the same on every machine."""
        return count_lines(self._function(which), values.decode(args))

    def do_agrees(self, args: Any, expected: Any, output: Any) -> bool:
        """Is `output` a right answer, by `accept` where there is one?"""
        case, accept = values.decode(args), self.namespace.get("accept")
        return _is_right(normal(values.decode(output)), case, normal(values.decode(expected)), accept)

    def do_naive_agrees(self, size: int, seed: int) -> list[str]:
        """[] when naive and reference agree on one scaled input, else [input, expected, got] for people."""
        args = tuple(self.namespace["scaled"](size, seed))
        expected = normal(self._function("reference")(*copy.deepcopy(args)))
        output = normal(self._function("naive")(*copy.deepcopy(args)))
        if _is_right(output, args, expected, self.namespace.get("accept")):
            return []
        return [brief(args), brief(expected), brief(output)]

    def do_argument_types(self, args: Any) -> list[str]:
        """Types in the arguments that the format does not allow."""
        return sorted(_foreign_types(list(values.decode(args))))

    def _function(self, which: str) -> Callable[..., Any]:
        function: Callable[..., Any] = self.namespace[self.entry_point if which == "reference" else which]
        return function


def count_lines(function: Callable[..., Any], args: list[Any]) -> int:
    """Lines executed by a call, those of libraries and of iterators it returns included, ours not."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "call" and _is_bookkeeping(frame.f_code.co_filename):
            return None
        if event == "line":
            count += 1
        return trace

    sys.settrace(trace)
    try:
        normal(function(*args))
    finally:
        sys.settrace(None)
    return count


def _is_bookkeeping(filename: str) -> bool:
    """Our own frames, and those of abstract classes, which are asked once per type and then remembered."""
    return filename.startswith(_OUR_FOLDER) or filename.endswith(
        ("_collections_abc.py", "<frozen _collections_abc>", "<frozen abc>")
    )


def _foreign_types(value: Any) -> set[str]:
    if value is None or type(value) in (bool, int, float, str):
        return set()
    if type(value) is list:
        return set().union(*map(_foreign_types, value))
    if type(value) is dict:
        keys = {f"dict key {type(key).__name__}" for key in value if type(key) is not str}
        return keys.union(*map(_foreign_types, value.values()))
    return {type(value).__name__}
