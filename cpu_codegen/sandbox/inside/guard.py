"""EvalPlus's `reliability_guard`, mirrored for parity of verdicts: the same names are None, the same imports fail.

It is no protection (the layers are); it exists because code that touches these names fails under EvalPlus.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_OS_NAMES = """
kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace unlink fchmod fchown
chmod chown chroot lchflags lchmod lchown getcwd chdir
""".split()
_WITHOUT = {"shutil": ("rmtree", "move", "chown"), "subprocess": ("Popen",)}
_FORBIDDEN_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")


class _NoInput(io.StringIO):
    """Standard input that cannot be read."""

    def read(self, *args: Any) -> str:
        """Fails, as in EvalPlus."""
        raise OSError

    readline = readlines = read  # type: ignore[assignment]

    def readable(self) -> bool:
        """No."""
        return False


def _take_names(module: ModuleType) -> None:
    for name in _WITHOUT[module.__name__]:
        setattr(module, name, None)


class _TakesNamesLater:
    """A finder for the modules that lose names and are imported later: EvalPlus imports them first, which costs 6 ms a program."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The usual spec, whose loader takes the names away once the module has run."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _WITHOUT else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_take(module: ModuleType) -> None:
            execute(module)
            _take_names(module)

        spec.loader.exec_module = execute_and_take  # type: ignore[method-assign]
        return spec


def install_guard() -> None:
    """Changes the calling process for good."""
    for name in ("exit", "quit", "help", "open"):
        setattr(builtins, name, None)
    for name in _OS_NAMES:
        setattr(os, name, None)
    for module in _FORBIDDEN_MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    for module in _WITHOUT:
        if module in sys.modules:
            _take_names(sys.modules[module])
    sys.meta_path.insert(0, _TakesNamesLater())
    os.listdir = _list_nothing
    sys.stdin = _NoInput()


_listdir = os.listdir


def _list_nothing(path: Any = ".") -> list[Any]:
    """EvalPlus's working directory is empty; ours is out of reach."""
    return [] if path in (".", b".", None) else _listdir(path)
