"""Does a closed block complete the answer? Asked of one resident sandboxed parser, the only one beside a loaded model.

No answer means: do not stop. That holds for a block that is too long, too slow to parse, or crashes the parser, and for machines
where no sandbox can be had; generation then goes on to the model's own end.
"""

from __future__ import annotations

import threading
from typing import Any

from cpu_codegen.errors import CpuCodegenError

MAX_CODE_CHARS = 64_000
TIMEOUT_S = 0.1


class Completeness:
    """`decide` may be called from any thread; the parser starts with the first question, and not again after `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parser: Any = None
        self._unavailable = False

    def decide(self, code: str, entry_point: str) -> bool:
        """True when the block parses and gives the entry point a real body."""
        if len(code) > MAX_CODE_CHARS:
            return False
        with self._lock:
            if self._unavailable:
                return False
            try:
                outline = self._opened().outline(code, TIMEOUT_S, max_bytes=MAX_CODE_CHARS)
            except (CpuCodegenError, ImportError, AttributeError, OSError):
                self._unavailable = True  # no sandbox here; judging will say so in words
                return False
        return any(entry_point in item.defines and item.has_body for item in outline.items)

    def _opened(self) -> Any:
        if self._parser is None:
            from cpu_codegen.sandbox.parser import open_parser

            self._parser = open_parser()
            self._parser.outline("", 5.0)  # starts the process outside the first question's time
        return self._parser

    def close(self) -> None:
        """Ends the parser, also one that another thread is just starting; may be called twice."""
        with self._lock:
            self._unavailable = True
            if self._parser is not None:
                self._parser.close()
                self._parser = None

    def __enter__(self) -> Completeness:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
