"""Mistake: the search goes on at the taken character, which can be taken twice."""

from __future__ import annotations


def conveyor_wait(loop: str, words: list[str]) -> list[int]:
    waits: list[int] = []
    now = 0
    for word in words:
        if not set(word) <= set(loop):
            waits.append(-1)
            continue
        before = now
        for letter in word:
            while loop[now % len(loop)] != letter:
                now += 1
        if word:
            now += 1
        waits.append(now - before)
    return waits
