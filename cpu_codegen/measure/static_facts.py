"""What can be read off a program's text without running it: radon's metrics, imports, calls that deserve a look.

Run as `python -m cpu_codegen.measure.static_facts`: one JSON request a line on stdin ({"code", "entry_point", "only_reference"}),
one reply a line on stdout. A process of its own, because parsing foreign text can take all memory or break the parser's stack.
Formulas: radon 6 (cyclomatic complexity of McCabe 1976, Halstead 1977, maintainability index as radon prints it, 0 to 100).
"""

from __future__ import annotations

import ast
import contextlib
import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

_MEMORY_BYTES = 1 << 30

KNOWN_PACKAGES = frozenset(
    """attr attrs bs4 bson cachetools click cv2 cython dask dateutil django fastapi flask gensim graphviz httpx h5py
    hypothesis IPython jax jinja2 joblib keras line_profiler llvmlite lxml markdown matplotlib more_itertools mpmath msgpack
    multiprocess nltk networkx numba numexpr numpy openpyxl ortools pandas PIL pip plotly polars protobuf psutil psycopg2
    pyarrow pycparser pydantic pydot pygame pymongo pyparsing pytest pytz qiskit redis regex requests rich ruamel scipy
    seaborn selenium setuptools shapely simplejson six skimage sklearn sortedcontainers spacy sqlalchemy statsmodels sympy
    tabulate tensorflow termcolor toolz torch torchvision tornado tqdm transformers typer typing_extensions tzlocal ujson
    urllib3 werkzeug xarray xgboost xlrd yaml""".split()
)

DANGEROUS = frozenset(
    """eval exec compile __import__ open input breakpoint globals os.system os.popen os.remove os.unlink os.rmdir os.kill
    os.fork os.execv os.environ shutil.rmtree subprocess.run subprocess.call subprocess.Popen subprocess.check_output
    subprocess.check_call pickle.load pickle.loads marshal.load marshal.loads ctypes.CDLL socket.socket sys.exit exit quit
    os._exit sys.setrecursionlimit time.sleep threading.Thread multiprocessing.Process""".split()
)


def facts_of(code: str, entry_point: str) -> dict[str, Any]:
    """{"radon": …, "static": …} of a program; SyntaxError, RecursionError or MemoryError when it cannot be parsed."""
    tree = ast.parse(code)
    return {"radon": radon_metrics(code), "static": static_facts(tree, entry_point)}


def radon_metrics(code: str) -> dict[str, Any]:
    """Complexity (most complex function, and all together), maintainability, Halstead, lines."""
    from radon.complexity import cc_visit
    from radon.metrics import h_visit, mi_visit
    from radon.raw import analyze

    complexities = [block.complexity for block in cc_visit(code)]
    halstead, raw = h_visit(code).total, analyze(code)
    return {
        "complexity": max(complexities, default=1),
        "complexity_total": sum(complexities) or 1,
        "maintainability": mi_visit(code, multi=True),
        "halstead_volume": halstead.volume,
        "halstead_difficulty": halstead.difficulty,
        "halstead_effort": halstead.effort,
        "loc": raw.loc,
        "lloc": raw.lloc,
        "sloc": raw.sloc,
        "comments": raw.comments,
    }


def static_facts(tree: ast.Module, entry_point: str) -> dict[str, Any]:
    """Counts, with names where a name says more than a number."""
    imported = sorted(set(imported_modules(tree)))
    foreign = [name for name in imported if name not in sys.stdlib_module_names]
    calls = Counter(name for name in called_names(tree) if name in DANGEROUS)
    return {
        "imports": imported,
        "third_party_imports": [name for name in foreign if name in KNOWN_PACKAGES],
        "unknown_imports": [name for name in foreign if name not in KNOWN_PACKAGES],
        "dangerous_calls": dict(sorted(calls.items())),
        "unused_imports": unused_imports(tree),
        "bare_excepts": sum(isinstance(node, ast.ExceptHandler) and node.type is None for node in ast.walk(tree)),
        "mutable_defaults": sum(_mutable_defaults(node) for node in ast.walk(tree)),
        "loop_depth": loop_depth(tree),
        "recursive": is_recursive(tree, entry_point),
    }


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Top-level names of all modules that are imported anywhere, relative imports left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def called_names(tree: ast.AST) -> Iterator[str]:
    """`f` of f(…) and `os.system` of os.system(…), for every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name):
                    yield name
                case ast.Attribute(value=ast.Name(id=owner), attr=name):
                    yield f"{owner}.{name}"


def unused_imports(tree: ast.AST) -> list[str]:
    """Names bound by an import and never read. `from __future__` and `*` bind nothing."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", None) != "__future__":
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names if alias.name != "*"}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return sorted(bound - read)


def _mutable_defaults(node: ast.AST) -> int:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return 0
    defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    return sum(isinstance(default, ast.List | ast.Dict | ast.Set) for default in defaults)


def loop_depth(tree: ast.AST) -> int:
    """How deep loops and comprehensions nest."""
    deepest = 0
    todo: list[tuple[ast.AST, int]] = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        depth = depth + 1 if isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.comprehension) else depth
        deepest = max(deepest, depth)
        todo.extend((child, depth) for child in ast.iter_child_nodes(node))
    return deepest


def is_recursive(tree: ast.AST, entry_point: str) -> bool:
    """Does any function call itself by name, directly?"""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(function.name in called_names(function) for function in functions)


def reference_alone(source: str, entry_point: str) -> str:
    """Of a problem file: the reference, the imports, and the top-level names that it uses, comments included."""
    tree, lines = ast.parse(source), source.splitlines(keepends=True)
    definitions = {name: node for node in tree.body for name in _defined(node)}
    wanted, todo = set[ast.stmt](), [entry_point]
    while todo:
        node = definitions.get(todo.pop())
        if node is not None and node not in wanted:
            wanted.add(node)
            todo += [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    kept = [node for node in tree.body if node in wanted]
    return "\n\n".join("".join(lines[_first_line(node) - 1 : node.end_lineno]).rstrip() for node in kept) + "\n"


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(alias.asname or alias.name).partition(".")[0] for alias in names]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _limit_memory() -> None:
    """A tighter limit of the user's stays; macOS refuses any."""
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Answers until stdin ends."""
    warnings.simplefilter("ignore")
    _limit_memory()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            code, entry_point = request["code"], request["entry_point"]
            reply = facts_of(reference_alone(code, entry_point) if request["only_reference"] else code, entry_point)
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(reply, allow_nan=False), flush=True)


if __name__ == "__main__":
    main()
