"""A task of HumanEval+ or MBPP+: the base tests in one process, the plus tests in another, as EvalPlus does it.

Comparator "evalplus" also takes over its limits: of a call by an exception inside the program, which the program may swallow; of
a process from outside. "strict" keeps the limit of a call from outside. Statuses are EvalPlus's: a part passes, fails, or has no
verdict in time, which is also what it says of a process that ended itself ("timeout").
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cpu_codegen.judging import verdict
from cpu_codegen.judging.comparators import Rule
from cpu_codegen.judging.prepared import CALL_LIMIT_S, Digest, Part, unpack
from cpu_codegen.sandbox.inside.calls import LARGE_OUTPUT_S, Candidate
from cpu_codegen.sandbox.inside.raw_batch import Chunk, replies
from cpu_codegen.sandbox.inside.replies import CandidateFault, HarnessFault, Large, Raised, Reply, Returned

_ALARM = "cpu_codegen.sandbox.inside.alarm.TimeoutException"
_TEXT = ("str", "bytes")
_REFERENCE_FACTOR = 4.0


class NeedReference(Exception):
    """A large output has another digest than expected: only the reference's own output can tell whether it is equal."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one part. `found` is None when it passed."""

    status: str
    passed: int
    found: dict[str, Any] | None = None


def decide(job: dict[str, Any], candidates: list[Candidate], prepared: Callable[..., None]) -> dict[str, Any]:
    """Passed = base and plus passed. Outcome "need_reference" asks for the same job with the reference's processes beside it."""
    parts = unpack(base64.b64decode(job["prepared"]))
    prepared(sum(part.limit_s for part in parts) * (1 + _REFERENCE_FACTOR * (len(candidates) > len(parts))))
    outcomes: list[_Outcome] = []
    try:
        for index, part in enumerate(parts):
            reference = candidates[len(parts) + index] if len(candidates) > len(parts) else None
            outcomes.append(_Run(job, part, candidates[index], reference).outcome(index))
    except NeedReference:
        return {"outcome": "need_reference"}
    return _together(outcomes, sum(part.count for part in parts))


def _together(outcomes: list[_Outcome], total: int) -> dict[str, Any]:
    first = next((outcome.found for outcome in outcomes if outcome.found is not None), {"outcome": "passed"})
    base, plus = (outcome.status for outcome in outcomes)
    counted = verdict.with_counts(first, sum(outcome.passed for outcome in outcomes), total)
    return {**counted, "base_status": base, "plus_status": plus}


class _Run:
    """One part of one program."""

    def __init__(self, job: dict[str, Any], part: Part, candidate: Candidate, reference: Candidate | None) -> None:
        task = job["task"]
        self.code, self.entry_point, self.canonical = job["code"], job["entry_point"], task["canonical"]
        self.part = part
        self.candidate = candidate
        self.reference = reference
        self.is_loaded = False
        self.asked: Iterator[Reply] = iter(())
        self.comparator = job["comparator"]
        self.rule = Rule(self.comparator, task["suite"], self.entry_point, task["atol"])
        self.passed = 0

    def outcome(self, index: int) -> _Outcome:
        """Calls until the first failure."""
        is_gone = False
        self.candidate.wall_s = self.part.limit_s
        self.candidate.is_patient = True  # EvalPlus's limits are meant for a machine that is not overloaded
        self.candidate.large_output_s = self._large_output_s
        try:
            found = self._first_problem()
            return _Outcome("pass" if found is None else "fail", self.passed, found)
        except CandidateFault as fault:
            is_gone = fault.kind == "gone"
            status = "timeout" if fault.kind in ("gone", "timeout") else "fail"
            return _Outcome(status, self.passed, {**self._of_fault(fault), "candidate": index})
        finally:
            self.candidate.finish(is_gone)

    def _large_output_s(self) -> float:
        """More time only where a large output is expected, or a program could hold its worker for hours."""
        return max(LARGE_OUTPUT_S, _REFERENCE_FACTOR * self.part.digest_s) if self.passed in self.part.digests else 0.0

    def _first_problem(self) -> dict[str, Any] | None:
        self.candidate.load(self.code, self.entry_point, self.comparator)
        for chunk in self.part.chunks:
            for reply in self._replies(chunk):
                if isinstance(reply, int):
                    self.passed += reply
                    continue
                problem = self._problem(reply)
                if problem is not None:
                    return problem
                self.passed += 1
        return None

    def _replies(self, chunk: Chunk) -> Iterator[int | Reply]:
        part = self.part
        if self.rule.is_strict:
            return replies(self.candidate, chunk, part.known, limit_s=part.call_limit_s)
        slow = [[i - chunk.first, part.call_limit_s(i)] for i in part.slow_s if 0 <= i - chunk.first < chunk.count]
        options = {"alarm_s": CALL_LIMIT_S, "slow": slow}
        return replies(self.candidate, chunk, part.known, mutable=self.rule.needs_arguments, options=options)

    def _of_fault(self, fault: CandidateFault) -> dict[str, Any]:
        found = verdict.of_fault(fault)
        if fault.kind == "timeout" and self.candidate.calls and self.passed < self.part.count:
            arguments = self.part.arguments(self.passed)
            found["failure"] = verdict.failure(arguments, self._shown_expected(), Raised(["no answer in time", "", ""]))
        return found

    def _problem(self, reply: Reply) -> dict[str, Any] | None:
        """None when the reply to the call number `passed` is right, else the verdict."""
        if isinstance(reply, Raised):
            found = verdict.of_error(reply.error)
            if reply.error[0] == _ALARM:
                found = {"outcome": "timeout", "message": f"over {self.part.call_limit_s(self.passed):g} s in one call"}
        elif self._is_right(reply):
            return None
        else:
            found = verdict.of_wrong()
        shown = reply.value if isinstance(reply, Returned) else reply
        if isinstance(shown, Large):
            shown = f"<a {shown.kind} of {shown.length} items>"
        return {**found, "failure": verdict.failure(self.part.arguments(self.passed), self._shown_expected(), shown)}

    def _shown_expected(self) -> Any:
        digest = self.part.digests.get(self.passed)
        return f"<a {digest.kind} of {digest.length} items>" if digest else self.part.expected(self.passed)

    def _is_right(self, reply: Returned | Large) -> bool:
        """A comparison may raise on a hostile or merely odd output; then it is not right."""
        digest = self.part.digests.get(self.passed)
        try:
            if isinstance(reply, Large):
                return self._is_large_right(reply, digest)
            if digest is None:
                return self._accepts(self.part.expected(self.passed), reply)
            return self._could_equal(reply, digest) and self._accepts(_whole(self._reference_reply()), reply)
        except (NeedReference, HarnessFault):
            raise
        except Exception:
            return False

    def _accepts(self, expected: Any, reply: Returned) -> bool:
        arguments = self.part.arguments(self.passed)
        if reply.mutated:  # EvalPlus's oracle reads the arguments as the program left them
            arguments = [given if left is None else left for given, left in zip(arguments, reply.mutated, strict=True)]
        return self.rule.accepts(arguments, expected, reply.value, is_sticky=self._is_sticky())

    def _is_sticky(self) -> bool:
        return 0 <= self.part.sticky_at <= self.passed

    def _could_equal(self, reply: Returned, digest: Digest) -> bool:
        """A smaller reply than expected: equal only as other numbers for the same values, or as a set."""
        is_alike = type(reply.value).__name__ == digest.kind and len(reply.value) == digest.length
        return self.rule.is_set or (is_alike and digest.kind not in _TEXT)

    def _is_large_right(self, reply: Large, digest: Digest | None) -> bool:
        if digest is None:
            expected = self.part.expected(self.passed)
            if self.rule.is_not_none:
                return self._accepts(expected, Returned(()))
            if not self.rule.is_set and (type(expected).__name__ != reply.kind or len(expected) != reply.length):
                return False
            return self._accepts(expected, Returned(_whole(reply)))
        if reply.digest and reply.digest == digest.digest and reply.kind == digest.kind:
            return True
        is_alike = (reply.kind, reply.length) == (digest.kind, digest.length) and reply.kind not in _TEXT
        if not is_alike and not self.rule.is_set:
            return False
        reference = self._reference_reply()
        pieces = reference.pieces() if isinstance(reference, Large) else iter([reference.value])
        if isinstance(reference, Returned) and not self.rule.is_set:
            return self._accepts(reference.value, Returned(_whole(reply)))
        return self.rule.accepts_pieces(pieces, reply.pieces(), is_sticky=self._is_sticky())

    def _reference_reply(self) -> Returned | Large:
        """What the canonical solution returns for the call in question, from a process of its own."""
        if self.reference is None:
            raise NeedReference
        try:
            return self._ask_reference(self.reference)
        except CandidateFault as fault:
            raise HarnessFault(f"the canonical solution has no answer ({fault.kind})") from None

    def _ask_reference(self, reference: Candidate) -> Returned | Large:
        if not self.is_loaded:
            reference.wall_s = _REFERENCE_FACTOR * self.part.limit_s
            reference.is_patient = True  # the program beside it may keep every core busy
            reference.large_output_s = self._large_output_s
            reference.load(self.canonical, self.entry_point, "evalplus")
            self.is_loaded = True
        for _ in self.asked:
            pass  # what was left of the reference's last answer
        self.asked = reference.batch([self.part.encoded_arguments(self.passed)], [reference.wall_s])
        reply = next(self.asked)
        if isinstance(reply, Raised):
            raise HarnessFault(f"the canonical solution raised {reply.error[0]}")
        return reply


def _whole(reply: Returned | Large) -> Any:
    """A value in one piece."""
    if isinstance(reply, Returned):
        return reply.value
    pieces = list(reply.pieces())
    if reply.kind in _TEXT:
        return ("" if reply.kind == "str" else b"").join(pieces)
    items = [item for piece in pieces for item in piece]
    return tuple(items) if reply.kind == "tuple" else items
