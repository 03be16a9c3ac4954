"""Mistake: every word starts again at the first character of the loop."""

from __future__ import annotations


def conveyor_wait(loop: str, words: list[str]) -> list[int]:
    waits: list[int] = []
    for word in words:
        if not set(word) <= set(loop):
            waits.append(-1)
            continue
        now = 0
        for letter in word:
            while loop[now % len(loop)] != letter:
                now += 1
            now += 1
        waits.append(now)
    return waits
