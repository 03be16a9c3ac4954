"""Sizes as people read and type them: G = 10⁹ bytes, Gi = 2³⁰ bytes, in and out, everywhere."""

from __future__ import annotations

import re

from cpu_codegen.errors import UsageError

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_LEAST_BYTES = 1_000_000
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?$", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """`4G`, `3.5Gi`, `512M`, `512 MB` or plain bytes → bytes. UsageError otherwise, and for so few bytes that a unit is missing."""
    match = _SIZE.match(text.strip())
    if match is None or match[2].upper() not in _UNITS:
        raise UsageError(f"{text!r} is no size", remedy="4G (10⁹ bytes each), 4Gi (2³⁰) or 512M")
    count = round(float(match[1]) * _UNITS[match[2].upper()])
    if 0 < count < _LEAST_BYTES and not match[2]:
        raise UsageError(
            f"{text!r} is {count} bytes: it lacks a unit",
            remedy=f"{text.strip()}G (10⁹ bytes each), {text.strip()}Gi (2³⁰) or 512M",
        )
    return count


def format_bytes(count: float) -> str:
    """Three figures and a decimal unit: 1117320768 → `1.12 GB`, 61000000 → `61 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if abs(value) < 999.5:
            return f"{value:.0f} {unit}"
        value /= 1000
    for unit in ("GB", "TB"):
        if abs(value) < 999.5 or unit == "TB":
            break
        value /= 1000
    decimals = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{decimals}f} {unit}"
