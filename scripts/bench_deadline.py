"""How well a deadline is kept: several models in one command, killed on the way if asked, with the time it took beside the limit.

    python scripts/bench_deadline.py [-m MODEL]... [--seconds 60] [--kills 2] [-- further options of run]

Without -m: the demo model and two quantizations of it, made here. Every kill is a kill -9 after a third of the time. Prints one
JSON object: the last command's wall seconds, the limit, answers by model, blocks that all finished. Exit 1 when the limit was
passed by more than 5 % and 10 s, or a sample stands twice.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

QUANTIZE = """
import sys, llama_cpp
parameters = llama_cpp.llama_model_quantize_default_params()
parameters.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + sys.argv[3])
parameters.allow_requantize = True
sys.exit(llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), parameters))
"""


def main() -> int:
    """Runs, kills, runs to the end, reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", action="append", default=[], dest="models")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("rest", nargs="*")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-deadline-") as scratch:
        folder = Path(scratch) / "group"
        models = asked.models or ["demo", *quantized(Path(scratch))]
        command = [sys.executable, "-m", "cpu_codegen", "run", *(part for name in models for part in ("-m", name))]
        command += ["--max-hours", f"{asked.seconds / 3600:.8f}", "--out", str(folder), "-o", "json", *asked.rest]
        for _ in range(asked.kills):
            killed_after(command, asked.seconds / 3)
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = told(folder, took_s=time.monotonic() - began, limit_s=asked.seconds)
    print(json.dumps(found, indent=1))
    late_s = found["took_s"] - asked.seconds
    return int(late_s > max(10.0, 0.05 * asked.seconds) or found["twice"] > 0)


def quantized(folder: Path) -> list[str]:
    """The demo model as Q4_0 and Q5_0."""
    from cpu_codegen.packaged import demo_model

    made = []
    for kind in ("Q4_0", "Q5_0"):
        made.append(str(folder / f"demo-{kind}.gguf"))
        subprocess.run(
            [sys.executable, "-c", QUANTIZE, str(demo_model()), made[-1], kind], check=True, capture_output=True
        )
    return made


def killed_after(command: list[str], seconds: float) -> None:
    """Starts it and kills it, if it is not done before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def told(folder: Path, *, took_s: float, limit_s: float) -> dict[str, Any]:
    """What the folders say."""
    record = json.loads((folder / "group.json").read_text(encoding="utf-8"))
    answers, twice = {}, 0
    for entry in record["models"]:
        lines = (folder / entry["folder"] / "generations.jsonl").read_bytes().split(b"\n")[:-1]
        keys = [json.loads(line)["key"] for line in lines]
        answers[entry["folder"]] = len(keys)
        twice += len(keys) - len(set(keys))
    return {
        "limit_s": limit_s,
        "took_s": round(took_s, 1),
        "status": record["status"],
        "answers": answers,
        "blocks": [done["n"] for done in record["rounds"]],
        "twice": twice,
    }


if __name__ == "__main__":
    sys.exit(main())
