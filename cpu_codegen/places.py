"""Where the tool keeps things for a user: the XDG folders, or their defaults."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "cpu-codegen"


def cache_dir() -> Path:
    """What can be made again: digests, calibrations."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def config_dir() -> Path:
    """The user's own settings: models.yaml."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def data_dir() -> Path:
    """What must not be lost: the ledger of downloads."""
    return _xdg("XDG_DATA_HOME", ".local/share")


def _xdg(variable: str, default: str) -> Path:
    """The specification asks to ignore relative paths."""
    given = Path(os.environ.get(variable, ""))
    return (given if given.is_absolute() else Path.home() / default) / NAME
