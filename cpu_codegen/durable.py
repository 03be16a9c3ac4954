"""Files that are replaced as a whole, names that survive a power cut, and a failed write in words. Not covered: what they hold."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from cpu_codegen.errors import MachineError

_REMEDIES = {
    errno.ENOENT: "make the folder in which it shall lie",
    errno.EACCES: "have it made writable for you",
    errno.EROFS: "have it made writable for you",
    errno.ENOTDIR: "move the file that has a folder's name",
}


def write_whole(path: Path, text: str) -> None:
    """Replaces a file so that a reader sees the old or the new text, never a part (temporary file, fsync, rename).

    UTF-8; lone surrogates are written as \\udXXX, which JSON reads as what they were.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise disk_error(path, error) from error
        raise


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder durable, where folders can be synced; some file systems refuse it."""
    if sys.platform == "win32":
        return  # the system does that by itself
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def disk_error(path: Path, error: OSError) -> MachineError:
    """A failed write in words: what stopped it, and what to do about it."""
    first = _REMEDIES.get(error.errno or 0, "free some space")
    return MachineError(
        f"cannot write {path}: {error.strerror or error}; what was stored before is whole",
        remedy=f"{first} or name another folder with --out; the same command then goes on",
    )
