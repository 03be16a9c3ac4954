"""Mistake: the rides are taken in list order instead of by time."""

from __future__ import annotations


def sledge_rides(rides: list[str], home: str, pause: int) -> dict[str, int]:
    timetable: list[tuple[int, int, str, str]] = []
    for ride in rides:
        one, leave, two, arrive = ride.split()
        timetable.append((int(leave), int(arrive), one, two))
    earliest = {home: 0}
    for leave, arrive, one, two in timetable:
        if one not in earliest:
            continue
        rest = 0 if one == home else pause
        if earliest[one] + rest <= leave:
            earliest[two] = min(earliest.get(two, arrive), arrive)
    return earliest
