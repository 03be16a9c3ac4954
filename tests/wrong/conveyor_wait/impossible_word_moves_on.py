"""Mistake: the loop moves on for a word before its missing character is noticed."""

from __future__ import annotations


def conveyor_wait(loop: str, words: list[str]) -> list[int]:
    waits: list[int] = []
    now = 0
    for word in words:
        before = now
        missing = False
        for letter in word:
            if letter not in loop:
                missing = True
                break
            while loop[now % len(loop)] != letter:
                now += 1
            now += 1
        waits.append(-1 if missing else now - before)
    return waits
