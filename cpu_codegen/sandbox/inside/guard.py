"""EvalPlus's `reliability_guard`, mirrored for parity of verdicts: the same names are None, the same imports fail.

It is no protection (the layers are); it exists because code that touches these names fails under EvalPlus.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from typing import Any

_OS_NAMES = """
kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames truncate replace unlink fchmod fchown
chmod chown chroot lchflags lchmod lchown getcwd chdir
""".split()
_SHUTIL_NAMES = ("rmtree", "move", "chown")
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


def install_guard() -> None:
    """Changes the calling process for good."""
    for name in ("exit", "quit", "help", "open"):
        setattr(builtins, name, None)
    for name in _OS_NAMES:
        setattr(os, name, None)
    for module in _FORBIDDEN_MODULES:
        sys.modules[module] = None  # type: ignore[assignment]
    for name in _SHUTIL_NAMES:
        if "shutil" in sys.modules:
            setattr(sys.modules["shutil"], name, None)
    if "subprocess" in sys.modules:
        sys.modules["subprocess"].Popen = None  # type: ignore[attr-defined]
    os.listdir = _list_nothing
    sys.stdin = _NoInput()


_listdir = os.listdir


def _list_nothing(path: Any = ".") -> list[Any]:
    """EvalPlus's working directory is empty; ours is out of reach."""
    return [] if path in (".", b".", None) else _listdir(path)
