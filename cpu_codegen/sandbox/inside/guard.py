"""EvalPlus's `reliability_guard`, mirrored for parity of verdicts: the same names are None, the same imports fail.

It is no protection (the layers are); it exists because code that touches these names fails under EvalPlus.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_OS_NAMES = """
kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace unlink fchmod fchown
chmod chown chroot lchflags lchmod lchown getcwd chdir
""".split()
_BUILTINS = ("exit", "quit", "help", "open")
_WITHOUT = {"shutil": ("rmtree", "move", "chown"), "subprocess": ("Popen",)}
_FORBIDDEN_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
_ARGUMENTS = ["evaluate.py", "--dataset", "humaneval", "--samples", "samples.jsonl"]  # unittest.main() exits for them


class _NoInput(io.StringIO):
    """Standard input that cannot be read."""

    def read(self, *args: Any) -> str:
        """Fails, as in EvalPlus."""
        raise OSError

    readline = readlines = read  # type: ignore[assignment]

    def readable(self) -> bool:
        """No."""
        return False


_TAKEN = (*((builtins, name) for name in _BUILTINS), *((os, name) for name in _OS_NAMES))
_LENT = tuple((module, name, getattr(module, name)) for module, name in _TAKEN if hasattr(module, name))


def _take() -> None:
    """EvalPlus's names are None; those of modules that are not imported yet follow later."""
    for module, name in _TAKEN:
        setattr(module, name, None)
    for loaded, names in _WITHOUT.items():
        if loaded in sys.modules:
            for name in names:
                setattr(sys.modules[loaded], name, None)


class _LibraryImports:
    """A finder that lends the names to modules while they are imported.

    EvalPlus has imported most of the library before it takes the names away, which costs 6 ms and more a program; here a module is
    imported when a program asks for it, and some need a name for that: multiprocessing calls os.getcwd, tokenize keeps open.
    """

    def __init__(self) -> None:
        self.depth = 0  # of imports within imports

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The usual spec; where a file is behind it, with a loader that lends."""
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((spec for finder in others if (spec := finder.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None and spec.has_location:
            spec.loader.exec_module = self._lending(spec.loader.exec_module)  # type: ignore[method-assign, assignment]
        return spec

    def _lending(self, execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
        def execute_with_names(module: ModuleType) -> None:
            self.depth += 1
            for owner, name, value in _LENT:
                setattr(owner, name, value)
            try:
                execute(module)
            finally:
                self.depth -= 1
                if not self.depth:
                    _take()

        return execute_with_names


def install_guard() -> None:
    """Changes the calling process for good."""
    _take()
    for module in _FORBIDDEN_MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    if not any(isinstance(finder, _LibraryImports) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LibraryImports())
    os.listdir = _list_nothing
    sys.stdin = _NoInput()
    sys.argv[:] = _ARGUMENTS


_listdir = os.listdir


def _list_nothing(path: Any = ".") -> list[Any]:
    """EvalPlus's working directory is empty; ours is out of reach."""
    return [] if path in (".", b".", None) else _listdir(path)
