"""Our own 60 problems, and any folder of files in the same format (docs/problems.md).

Covered: finding the files, cutting out the statement (what the model sees) without importing anything, hashes. Not covered:
running a file; its CASES, `scaled`, `naive` and `accept` run in the sandbox only.
"""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from typing import Literal

from cpu_codegen.errors import UsageError
from cpu_codegen.packaged import problems_dir
from cpu_codegen.schema import LEVELS, Level, Problem, ProblemFileTask

SUITE = "lowcost60"
MAX_FILE_BYTES = 200_000


def load_lowcost60() -> list[Problem]:
    """The packaged 60 problems, sorted by level and name."""
    return load_folder(problems_dir(), suite=SUITE)


def load_folder(folder: Path, *, suite: str) -> list[Problem]:
    """Every problem file of a folder: `<level>/<slug>.py`, or `<slug>.py` with no level.

    Raises UsageError with file and line for a file that is no problem, or when there is none.
    """
    found: list[Problem] = []
    levels: tuple[Level | Literal[""], ...] = (*LEVELS, "")
    for level in levels:
        for path in sorted((folder / level).glob("*.py")):
            found.append(load_problem_file(path, suite=suite, level=level))
    if not found:
        raise UsageError(f"no problem files in {folder}", remedy="a folder with easy/, medium/, hard/ or *.py files")
    return found


def load_problem_file(path: Path, *, suite: str, level: Level | Literal[""]) -> Problem:
    """One file → Problem; the file is parsed, never imported."""
    source = _read(path)
    slug = path.stem
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise UsageError(f"{path}:{line}: not Python: {error}", remedy="mend the file; see docs/problems.md") from error
    module_doc = ast.get_docstring(tree) or ""
    return Problem(
        id=f"{suite}/{slug}",
        suite=suite,
        level=level,
        entry_point=slug,
        statement=cut_statement(source, tree, slug, where=str(path)),
        data_hash=hashlib.sha256(source.encode()).hexdigest(),
        task=ProblemFileTask(source=source),
        title=module_doc.partition("\n")[0].rstrip("."),
        topics=_topics(module_doc),
    )


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > MAX_FILE_BYTES:
            raise UsageError(f"{path}: over {MAX_FILE_BYTES} bytes", remedy="a problem is one short Python file")
        return data.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", remedy="a problem is one UTF-8 Python file") from error


def _topics(module_doc: str) -> tuple[str, ...]:
    match = re.search(r"^topics:\s*(.+)$", module_doc, re.MULTILINE)
    return tuple(topic.strip() for topic in match[1].split(",")) if match else ()


def cut_statement(source: str, tree: ast.Module, entry_point: str, *, where: str) -> str:
    """What the model sees: the imports that the signature uses, the signature, the docstring."""
    function = _entry_function(tree, entry_point, where)
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None or first.end_lineno is None:
        raise UsageError(
            f"{where}:{function.lineno}: {entry_point} has no docstring", remedy="the docstring is the statement"
        )
    lines = source.split("\n")
    imports = [ast.unparse(node) for node in _signature_imports(tree, function)]
    head = "\n".join(lines[function.lineno - 1 : first.end_lineno])
    return "\n".join([*imports, "", "", head] if imports else [head]) + "\n"


def _entry_function(tree: ast.Module, entry_point: str, where: str) -> ast.FunctionDef:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            return node
    raise UsageError(
        f"{where}:1: no function {entry_point}", remedy="the file's name and the function's name are the same word"
    )


def _signature_imports(tree: ast.Module, function: ast.FunctionDef) -> list[ast.Import | ast.ImportFrom]:
    """Imports cut down to the names that the annotations and defaults use."""
    parts: list[ast.AST] = [function.args]
    if function.returns is not None:
        parts.append(function.returns)
    used = {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}
    kept: list[ast.Import | ast.ImportFrom] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in used]
            if names and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
                node.names = names
                kept.append(node)
    return kept
