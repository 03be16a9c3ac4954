"""Mistake: a dance is only known if the book names it before it is used."""

from __future__ import annotations


def dance_beats(book: dict[str, list[str]]) -> dict[str, int | None]:
    known: dict[str, int | None] = {}

    def beats(name: str) -> int | None:
        if name in known or name not in book:
            return known.get(name)
        known[name] = None  # until it is clear that the dance does not lead back to itself
        total = 0
        for figure in book[name]:
            part, _, times = figure.partition("*")
            length = int(part) if part.isdigit() else known.get(part)
            if length is None:
                return None
            total += length * int(times or 1)
        known[name] = total
        return total

    return {name: beats(name) for name in book}
