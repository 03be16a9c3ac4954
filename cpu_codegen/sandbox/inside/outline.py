"""The parser's process: `ast.parse` of untrusted text, in the sandbox because it can crash, hang or eat all memory.

Frames: [id, text] → [id, items, error, error line]; an item is a list in the order of schema.OutlineItem's fields.
"""

from __future__ import annotations

import ast
import contextlib
from typing import Any

from cpu_codegen.sandbox.frames import Channel, ChannelClosed
from cpu_codegen.sandbox.inside.candidate import quiet_streams

_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


def serve(fd: int) -> None:
    """Answers until the other side goes away."""
    channel = Channel(fd)
    quiet_streams()  # the compiler's warnings go nowhere
    with contextlib.suppress(ChannelClosed):
        while True:
            number, text = channel.receive()
            channel.send([number, *outline(text)])


def outline(text: str) -> tuple[list[list[Any]], str, int]:
    """(top-level items, error, error line) of a text."""
    try:
        tree = ast.parse(text)
        return [_item(node, is_first=index == 0) for index, node in enumerate(tree.body)], "", 0
    except _ERRORS as error:
        line = getattr(error, "lineno", None) or 1
        return [], f"{type(error).__name__}: {str(error)[:200]}", line


def _item(node: ast.stmt, *, is_first: bool) -> list[Any]:
    kind = _kind(node, is_first=is_first)
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return [
        kind,
        first,
        node.end_lineno or node.lineno,
        sorted(_defined(node)),
        sorted(_identifiers(node)),
        any(isinstance(inner, ast.Return) for inner in ast.walk(node)),
        _has_body(node),
        bool(decorators),
    ]


def _kind(node: ast.stmt, *, is_first: bool) -> str:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return "future_import"
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "import"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return "function"
    if isinstance(node, ast.ClassDef):
        return "class"
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return "assign"
    return "docstring" if is_first and _is_text(node) else "other"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _defined(node: ast.stmt) -> set[str]:
    """The names that the statement binds at top level; those bound inside functions and classes are their own affair."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    names: set[str] = set()
    todo: list[ast.AST] = [node]
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(inner.name)
            continue
        if isinstance(inner, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(inner, ast.alias):
            names.add((inner.asname or inner.name).partition(".")[0])
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
        todo.extend(ast.iter_child_nodes(inner))
    return names


def _identifiers(node: ast.stmt) -> set[str]:
    """Every identifier in the statement, as a reader of the text would find them."""
    names: set[str] = set()
    for inner in ast.walk(node):
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(inner, field, None)
            if isinstance(value, str):
                names.add(value.partition(".")[0])
        if isinstance(inner, ast.Global | ast.Nonlocal):
            names.update(inner.names)
    return names


def _has_body(node: ast.stmt) -> bool:
    """False for a function with nothing but a docstring, `pass`, `...` or `raise NotImplementedError`."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    return not all(_is_empty(statement) for statement in node.body)


def _is_empty(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    is_constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Pass) or is_constant
