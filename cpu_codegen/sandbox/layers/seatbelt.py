"""Seatbelt: macOS's sandbox of files, network, processes and signals. Written from its documentation, untried.

`sandbox_init` is deprecated and still what others rest on. Nothing is trusted: whoever opens a sandbox attacks it first
(proof.py), so a profile that does not hold is refused. Not covered: memory (watchdog.py); being under Seatbelt already, where
`sandbox_init` fails.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

SYSTEM_PATHS = ("/usr/lib", "/System/Library", "/Library/Apple", "/private/var/db/timezone", "/usr/share/zoneinfo")
_LIBRARY = "/usr/lib/libSystem.B.dylib"
_HARMLESS_FILES = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero")


def profile(readable: Iterable[str], hidden: Collection[str] = ()) -> str:
    """A profile in Seatbelt's own language: reading below `readable`, signals to itself, and nothing else.

    Nothing below `hidden`, but what of `readable` lies there; of rules that differ the last one holds.
    """
    readable = tuple(readable)
    paths = sorted({*SYSTEM_PATHS, *readable})
    parents = sorted({str(parent) for path in paths for parent in PurePosixPath(path).parents})
    return "\n".join(
        (
            "(version 1)",
            "(deny default)",
            f"(allow file-read* {_filters('subpath', paths)} {_filters('literal', _HARMLESS_FILES)})",
            *_hiding(readable, hidden),
            f"(allow file-read-metadata {_filters('literal', parents)})",
            "(allow sysctl-read)",
            "(allow signal (target self))",
            "(allow process-info* (target self))",
        )
    )


def _hiding(readable: Iterable[str], hidden: Collection[str]) -> list[str]:
    if not hidden:
        return []
    inner = [path for path in readable if any(path.startswith(folder + "/") for folder in hidden)]
    again = [f"(allow file-read* {_filters('subpath', inner)})"] if inner else []
    return [f"(deny file-read* {_filters('subpath', hidden)})", *again]


def _filters(kind: str, paths: Iterable[str]) -> str:
    """Paths as string literals; JSON's escapes for quotes and backslashes are Scheme's."""
    return " ".join(f"({kind} {json.dumps(path, ensure_ascii=False)})" for path in paths)


def available() -> bool:
    """True where the system's library offers `sandbox_init`."""
    try:
        return hasattr(ctypes.CDLL(_LIBRARY), "sandbox_init")
    except OSError:
        return False


def restrict(text: str) -> None:
    """Puts the calling process under the profile for ever. Raises OSError with Seatbelt's own words."""
    library = ctypes.CDLL(_LIBRARY, use_errno=True)
    message = ctypes.c_char_p()
    if library.sandbox_init(text.encode(), ctypes.c_uint64(0), ctypes.byref(message)) != 0:
        said = message.value.decode(errors="replace") if message.value else "no reason given"
        raise OSError(ctypes.get_errno(), f"sandbox_init: {said}")
