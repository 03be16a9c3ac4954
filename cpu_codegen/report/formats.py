"""The formats that stdout may carry."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """What stdout carries."""

    TABLE = "table"
    MD = "md"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    LATEX = "latex"
    HTML = "html"
