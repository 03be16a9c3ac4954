"""Our own 60 problems, and any folder of files in the same format (docs/problems.md).

Covered: finding the files, cutting out the statement (what the model sees) without importing anything, hashes. Not covered:
running a file; its CASES, `scaled`, `naive` and `accept` run in the sandbox only.
"""

from __future__ import annotations

import ast
import hashlib
import re
import stat
import warnings
from keyword import iskeyword
from pathlib import Path
from typing import Literal

from cpu_codegen.counts import count_of
from cpu_codegen.errors import UsageError
from cpu_codegen.packaged import problems_dir
from cpu_codegen.schema import LEVELS, Level, Problem, ProblemFileTask

SUITE = "lowcost60"
MAX_FILE_BYTES = 200_000
BLANK = "FILL IN:"
"""Marks what is left to write in a file that `problems new` made (problem_template.py)."""


def load_lowcost60() -> list[Problem]:
    """The packaged 60 problems, sorted by level and name."""
    return load_folder(problems_dir(), suite=SUITE)


def load_folder(folder: Path, *, suite: str, left_out: list[UsageError] | None = None) -> list[Problem]:
    """Every problem file of a folder: `<level>/<slug>.py`, or `<slug>.py` with no level; names with `_` in front are none.

    Raises UsageError with file and line for a file that is no problem, or puts it into `left_out` where that is given. Raises it
    where there is no file at all.
    """
    found: dict[str, Problem] = {}
    paths = [(level, path) for level in _levels() for path in sorted((folder / level).glob("*.py"))]
    paths = [(level, path) for level, path in paths if not path.name.startswith(("_", "."))]
    if not paths:
        raise UsageError(f"no problem files in {folder}", remedy="a folder with easy/, medium/, hard/ or *.py files")
    for level, path in paths:
        try:
            problem = load_problem_file(path, suite=suite, level=level)
            if problem.id in found:
                raise UsageError(
                    f"{path}:1: {path.stem} is in {found[problem.id].origin} too", remedy="one name, one problem"
                )
        except UsageError as error:
            if left_out is None:
                raise
            left_out.append(error)
        else:
            found[problem.id] = problem
    return list(found.values())


def _levels() -> tuple[Level | Literal[""], ...]:
    return (*LEVELS, "")


def load_problem_file(path: Path, *, suite: str, level: Level | Literal[""]) -> Problem:
    """One file → Problem; the file is parsed, never imported."""
    source = _read(path)
    slug = path.stem
    if not slug.isidentifier() or iskeyword(slug):
        raise UsageError(
            f"{path}:1: {slug!r} can be no function's name",
            remedy="letters, digits and _ : the file is named as its function",
        )
    _refuse_blanks(source, path)
    tree = parsed(source, where=str(path))
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
        origin=str(path),
    )


def parsed(source: str, *, where: str) -> ast.Module:
    """The tree of foreign source, which is parsed and nothing else. UsageError with its line where it is no Python."""
    try:
        with warnings.catch_warnings(action="ignore"):  # a "\\d" in a foreign docstring is no concern of the user's
            return ast.parse(source)
    except SyntaxError as error:
        raise UsageError(
            f"{where}:{error.lineno or 1}: not Python: {error.msg}", remedy="mend the file; see docs/problems.md"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{where}:1: not Python that can be parsed: {str(error) or 'nested too deep'}",
            remedy="mend the file; see docs/problems.md",
        ) from error


def _refuse_blanks(source: str, path: Path) -> None:
    for number, line in enumerate(source.split("\n"), start=1):
        if BLANK in line:
            left = source.count(BLANK)
            blank = line.partition(BLANK)[2].strip(" \"'")
            raise UsageError(
                f"{path}:{number}: {count_of(left, 'blank')} to fill in; the first: {blank}",
                remedy=f"write it in place of {BLANK!r}; see docs/problems.md",
            )


def _read(path: Path) -> str:
    """A regular file of moderate size, as UTF-8: neither a pipe that never ends nor ten megabytes are read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{path}:1: not a regular file", remedy="a problem is one short Python file")
        if found.st_size > MAX_FILE_BYTES:
            raise UsageError(
                f"{path}:1: {found.st_size} bytes, over {MAX_FILE_BYTES}", remedy="a problem is one short Python file"
            )
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}:1: cannot be read ({error.strerror})", remedy="a problem is one UTF-8 file"
        ) from error
    try:
        return data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8", remedy="save it as UTF-8; a problem is one UTF-8 file") from error


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
