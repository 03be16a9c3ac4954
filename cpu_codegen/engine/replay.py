"""An engine that gives back recorded answers: for tests of the line, and to score texts generated elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cpu_codegen.engine.protocol import EngineInfo, Feel, TimeLimit
from cpu_codegen.schema import FinishReason, Generation, Request


class ReplayEngine:
    """Answers by key, or by prompt text for recordings that know no keys. What was never recorded is an engine_error."""

    def __init__(self, recorded: Mapping[str, Generation | str]) -> None:
        self._recorded = dict(recorded)
        self._info = EngineInfo(kind="replay", width=1, threads=0, load_s=0.0)

    @property
    def info(self) -> EngineInfo:
        """Kind "replay"; nothing is loaded."""
        return self._info

    def run(
        self, requests: Iterable[Request], *, within: TimeLimit | None = None, feel: Feel | None = None
    ) -> Iterator[Generation]:
        """The recorded generations, in the order of the requests; none any more once the time is up. Has no pulse."""
        for request in requests:
            if within is not None and within.left_s() <= 0:
                return
            yield self._answer(request)

    def close(self) -> None:
        """Nothing to give back."""

    def _answer(self, request: Request) -> Generation:
        found = self._recorded.get(request.key, self._recorded.get(request.text))
        if found is None:
            return Generation(
                request.key, "", FinishReason.ENGINE_ERROR, error="no recorded answer for this key or prompt"
            )
        if isinstance(found, str):
            return Generation(request.key, found, FinishReason.EOS)
        return found if found.key == request.key else _with_key(found, request.key)


def _with_key(generation: Generation, key: str) -> Generation:
    from dataclasses import replace

    return replace(generation, key=key)
