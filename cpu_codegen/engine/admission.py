"""Who enters, and on what prefixes: the queue, the sequences, and the books of the KV cache. Pure, like the scheduler.

Places in the cache are booked before a sample starts: its own part of the prompt and its longest answer. A prefix's places are free
again when its holder is forgotten and no running sample stands on it.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush

from cpu_codegen.engine.backend import Backend
from cpu_codegen.engine.lane import Job, Lane
from cpu_codegen.engine.pace import Pace
from cpu_codegen.engine.prefixes import Prefix
from cpu_codegen.engine.watch import FenceWatch


def least_cells(jobs: Sequence[Job], prefixes: Sequence[Prefix], *, width: int, holders: int) -> int:
    """Places with which some job can always start: the largest one beside the prefixes that may be held meanwhile.

    Samples that run may stand on as many more as there are sequences; without a holder nobody shares anything.
    """
    held = holders + width if holders else 0
    return longest_job(jobs) + sum(sorted((prefix.span for prefix in prefixes), reverse=True)[:held])


def longest_job(jobs: Sequence[Job]) -> int:
    """Places of the longest prompt and answer, nothing shared."""
    return max((len(job.tokens) + job.limit for job in jobs), default=1)


class Admission:
    """`width` sequences for samples, `holders` more for shared prefixes, `cells` places for all of them (see least_cells).

    With a `pace` nobody enters any more once the next one in the queue could end too late: later ones must not overtake it.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        width: int,
        cells: int,
        holders: int,
        clock: Callable[[], float],
        pace: Pace | None = None,
    ) -> None:
        self.queue: deque[Job] = deque()
        self.filling: list[Prefix] = []
        self._closed = False
        self._backend = backend
        self._width = width
        self._cells = cells
        self._clock = clock
        self._pace = pace
        self._sequences = list(range(width))
        self._holders = list(range(width, width + holders))[::-1]

    def submit(self, jobs: Iterable[Job]) -> None:
        """Appends jobs; their prefixes belong to them alone."""
        self.queue.extend(jobs)

    def admit(self) -> list[Lane]:
        """Starts queued jobs in their order while there is room, and the prefixes that the next ones stand on."""
        lanes: list[Lane] = []
        held: list[Job] = []
        window = min(len(self.queue), 2 * self._width) if self._sequences else 0
        for _ in range(window):
            if not self._sequences:
                break
            job = self.queue.popleft()
            lane = self._advance(job)
            if lane is not None:
                lanes.append(lane)
                continue
            held.append(job)
            if self._closed:
                self._turn_away()
                return lanes
            if not any(prefix in self.filling for prefix in job.chain):
                break  # no room: later jobs must not overtake it for ever
        self.queue.extendleft(reversed(held))
        return lanes

    def _turn_away(self) -> None:
        """Closing time: whoever waits goes home, and prefixes that are decoded for them are of no use any more."""
        self.queue.clear()
        self.filling.clear()

    def _advance(self, job: Job) -> Lane | None:
        """Starts the job, or else the first of its prefixes that nobody has decoded yet."""
        while (missing := next((p for p in job.chain if not p.ready), None)) is not None:
            if missing.holder is not None or self._fill(missing):
                return None
            self._do_without(job, missing)
        if job.cells > self._cells:
            return None
        if self._pace is not None and not self._pace.allows(job, self._clock()):
            self._closed = True
            return None
        return self._start(job)

    def _fill(self, prefix: Prefix) -> bool:
        """Begins to decode a shared prefix into a holder of its own."""
        if prefix.waiting < 2 or not self._holders or self._cells < prefix.span:
            return False
        prefix.holder, prefix.done, prefix.began_s = self._holders.pop(), prefix.start, self._clock()
        self._cells -= prefix.span
        if prefix.parent is not None and prefix.parent.holder is not None:
            self._backend.copy(prefix.parent.holder, prefix.holder)
        self.filling.append(prefix)
        return True

    @staticmethod
    def _do_without(job: Job, prefix: Prefix) -> None:
        """The job decodes this prefix, and those that stand on it, for itself: it is no user of theirs any more."""
        kept = job.chain.index(prefix)
        for dropped in job.chain[kept:]:
            dropped.users -= 1
            dropped.waiting -= 1
        job.chain = job.chain[:kept]

    def _start(self, job: Job) -> Lane:
        self._cells -= job.cells
        request = job.request
        lane = Lane(
            job,
            heappop(self._sequences),
            self._backend.new_sampler(request.sampling, request.seed),
            started_s=self._clock(),
            fed=job.shared,
            piece=self._backend.piece,
            watch=FenceWatch(prompt=request.text) if request.early_stop and request.entry_point else None,
        )
        if job.chain:
            holder = job.chain[-1].holder
            assert holder is not None, "a ready prefix has a holder"
            self._backend.copy(holder, lane.sequence)
        for prefix in job.chain:
            prefix.tenants += 1
            prefix.waiting -= 1
            if prefix.waiting == 0:
                self._let_go(prefix)
        return lane

    def _let_go(self, prefix: Prefix) -> None:
        """Nobody waits for it any more; those who stand on it keep what they copied."""
        assert prefix.holder is not None, "only a ready prefix loses its last waiting user"
        self._backend.forget(prefix.holder)
        self._holders.append(prefix.holder)
        prefix.holder = None

    def leave(self, lane: Lane) -> None:
        """Frees the sequence and the places of a sample that needs no more tokens."""
        self._backend.forget(lane.sequence)
        self._backend.free_sampler(lane.sampler)
        heappush(self._sequences, lane.sequence)
        self._cells += lane.job.cells
        for prefix in lane.job.chain:
            prefix.tenants -= 1
            if prefix.holder is None and prefix.tenants == 0:
                self._cells += prefix.span

    def close_ranks(self, lanes: list[Lane]) -> bool:
        """When nobody is left to enter, moves the last sequences into the holes that others left. True when one was moved.

        llama.cpp decodes streams together only where their numbers follow each other. `lanes` are in the order of their sequences.
        """
        moved = False
        while not self.queue and lanes and lanes[-1].sequence >= len(lanes):
            lane, hole = lanes.pop(), heappop(self._sequences)
            self._backend.copy(lane.sequence, hole)
            self._backend.forget(lane.sequence)
            heappush(self._sequences, lane.sequence)
            lane.sequence = hole
            insort(lanes, lane, key=lambda one: one.sequence)
            moved = True
        return moved
