"""Mistake: every visitor gets an own bench."""

from __future__ import annotations


def bench_plan(visits: list[list[int]]) -> list[int]:
    return list(range(1, len(visits) + 1))
