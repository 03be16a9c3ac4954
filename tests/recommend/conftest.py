"""A machine with known speeds, and no caches, models or runs of this one."""

from __future__ import annotations

from tests.plan.conftest import _own_caches, calibrated

__all__ = ["_own_caches", "calibrated"]
