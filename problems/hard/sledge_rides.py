"""Travel by dog sledge from village to village.

topics: graphs, sorting
"""

from __future__ import annotations

import random


def sledge_rides(rides: list[str], home: str, pause: int) -> dict[str, int]:
    """Return for each village that can be reached the earliest minute of being there.

    A ride like "Elk 10 Fir 25" leaves Elk at minute 10 and is in Fir at minute 25. Names are single
    words, minutes are whole and 0 or more, and a ride always ends later than it leaves. Rides come
    in no special order. The traveller is at `home` at minute 0 and may take any ride from there,
    also later. In any other village at least `pause` minutes (0 or more) must lie between arriving
    by one ride and leaving by the next. `home` is always in the result with 0. Villages that cannot
    be reached are left out.

    >>> sledge_rides(["Fir 30 Oak 40", "Elk 10 Fir 25"], "Elk", 5)
    {'Elk': 0, 'Fir': 25, 'Oak': 40}
    >>> sledge_rides(["Fir 30 Oak 40", "Elk 10 Fir 25"], "Elk", 6)
    {'Elk': 0, 'Fir': 25}
    """
    timetable: list[tuple[int, int, str, str]] = []
    for ride in rides:
        one, leave, two, arrive = ride.split()
        timetable.append((int(leave), int(arrive), one, two))
    earliest = {home: 0}
    for leave, arrive, one, two in sorted(timetable):
        if one not in earliest:
            continue
        rest = 0 if one == home else pause
        if earliest[one] + rest <= leave:
            earliest[two] = min(earliest.get(two, arrive), arrive)
    return earliest


def naive(rides: list[str], home: str, pause: int) -> dict[str, int]:
    """Same answers, going through all rides until nothing changes."""
    earliest = {home: 0}
    changed = True
    while changed:
        changed = False
        for ride in rides:
            one, leave, two, arrive = ride.split()
            if one not in earliest:
                continue
            rest = 0 if one == home else pause
            if earliest[one] + rest <= int(leave) and int(arrive) < earliest.get(two, int(arrive) + 1):
                earliest[two] = int(arrive)
                changed = True
    return earliest


CASES = [
    ([], "Elk", 0),
    (["Fir 1 Oak 2"], "Elk", 0),
    (["Elk 0 Fir 1"], "Elk", 9),
    (["Elk 0 Fir 5", "Fir 5 Oak 6"], "Elk", 0),
    (["Elk 0 Fir 5", "Fir 5 Oak 6"], "Elk", 1),
    (["Fir 7 Oak 9", "Elk 1 Fir 6"], "Elk", 1),
    (["Elk 0 Fir 50", "Elk 10 Fir 20", "Fir 30 Oak 31"], "Elk", 10),
    (["Elk 1 Fir 2", "Fir 4 Elk 9", "Elk 10 Oak 11"], "Elk", 2),
    (["Elk 1 Fir 2", "Fir 4 Elk 9", "Elk 3 Oak 5"], "Elk", 100),
    (["Elk 9 Fir 10", "Fir 4 Oak 5", "Fir 12 Elk 13"], "Elk", 0),
    (["Elk 100 Fir 200", "Elk 20 Oak 30", "Oak 33 Fir 40", "Fir 99 Ash 101"], "Elk", 3),
    (["A 0 B 9", "A 8 C 10", "C 12 D 14", "B 11 D 12", "D 14 E 15"], "A", 2),
    (["a 1 b 2", "B 3 c 4", "b 3 d 4"], "a", 1),
    (["A 5 B 6", "A 5 B 7", "B 9 C 12", "B 8 C 13", "C 14 A 15"], "A", 2),
    (["D 9 E 10", "C 7 D 8", "B 5 C 6", "A 3 B 4", "E 11 A 12"], "A", 1),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str], str, int]:
    """n rides from village to village, the last ones first."""
    rng = random.Random(n * 1009 + seed)
    rides: list[str] = []
    for spot in range(n - 1, -1, -1):
        leave = 10 * spot + rng.randint(0, 3)
        rides.append(f"V{spot} {leave} V{spot + 1} {leave + rng.randint(1, 5)}")
    return rides, "V0", 2


SIZES = (60, 400, 4_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
