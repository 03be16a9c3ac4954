"""The parent's handle of the process that reads programs' texts (static_facts.py), and ruff's findings where ruff is installed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from typing import Any

_REPLY_S = 10.0
_RUFF_S = 20.0
# E9 and F: broken or unused; B: likely bugs; S: bandit's checks; PERF and C4: slower than need be. S101 and S311: assert, random.
_RUFF = (
    "check",
    "--isolated",
    "--no-cache",
    "--select",
    "E9,F,B,S,PERF,C4",
    "--ignore",
    "S101,S311",
    "--output-format",
    "json",
)


class Reader:
    """One resident process, begun anew when a text broke it. A context manager."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._ruff = shutil.which("ruff") or shutil.which("ruff", path=os.path.dirname(sys.executable))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, code: str, entry_point: str, *, only_reference: bool = False) -> dict[str, Any]:
        """{"radon", "static"} of a program; both None, with the reason under "static_error", where it cannot be read."""
        reply = self._ask({"code": code, "entry_point": entry_point, "only_reference": only_reference})
        if "error" in reply:
            return {"radon": None, "static": None, "static_error": reply["error"]}
        if not only_reference:
            reply["static"]["ruff"] = self.ruff_findings(code)
        return reply

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            reply = json.loads(_line_within(process, _REPLY_S))
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self.close()
            return {"error": "the text broke the parser"}
        return reply if isinstance(reply, dict) else {"error": "no answer"}

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cpu_codegen.measure.static_facts"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        return self._process

    def ruff_findings(self, code: str) -> dict[str, int] | None:
        """Findings by rule; None where ruff is not installed or did not answer."""
        if self._ruff is None:
            return None
        command = [self._ruff, *_RUFF, "--stdin-filename", "candidate.py", "-"]
        try:
            done = subprocess.run(
                command, input=code, capture_output=True, text=True, encoding="utf-8", timeout=_RUFF_S, check=False
            )
            findings = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return None
        return dict(sorted(Counter(str(finding.get("code")) for finding in findings).items()))

    def close(self) -> None:
        """Ends the process; may be called twice."""
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process.wait()
            self._process = None


def _line_within(process: subprocess.Popen[str], seconds: float) -> str:
    """One line of output; the process is killed when it takes longer."""
    from threading import Timer

    assert process.stdout is not None
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()
