"""How well a deadline is kept: several models in one command, killed on the way, with the time it took beside the limit.

    python scripts/bench_deadline.py [-m MODEL]... [--seconds 60] [--kills KILL,KILL] [--seed N] [-- further options of run]

Without -m: the demo model, a quantization of it that is made here, and the test fixture that never closes its reasoning
(tests/data/endless.gguf). `--kills` names the signals (KILL, TERM, INT), each sent at a random moment within the first 60 % of the
time. Prints one JSON object: the last command's wall seconds, the limit, answers by model, blocks that all finished, pages. Exit 1
when the limit was passed by more than 5 % and 10 s, a sample stands twice, what was stored changed, or there is not one page.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENDLESS = Path(__file__).resolve().parent.parent / "tests" / "data" / "endless.gguf"
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
    parser.add_argument("--kills", default="KILL,KILL", help="signals, by comma; none: an empty text")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("rest", nargs="*")
    asked = parser.parse_args()
    moments = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="bench-deadline-") as scratch:
        folder = Path(scratch) / "group"
        models = asked.models or ["demo", quantized(Path(scratch)), str(ENDLESS)]
        command = [sys.executable, "-m", "cpu_codegen", "run", *(part for name in models for part in ("-m", name))]
        command += ["--max-hours", f"{asked.seconds / 3600:.8f}", "--out", str(folder), "-o", "json", *asked.rest]
        kept: dict[str, list[str]] = {}
        changed = 0
        for name in filter(None, asked.kills.split(",")):
            killed_after(command, moments.uniform(1.0, 0.6 * asked.seconds), signal.Signals[f"SIG{name}"])
            changed += sum(keys_in(folder).get(run, [])[: len(keys)] != keys for run, keys in kept.items())
            kept = keys_in(folder)
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took_s = time.monotonic() - began
        changed += sum(keys_in(folder).get(run, [])[: len(keys)] != keys for run, keys in kept.items())
        found = told(folder) | {"limit_s": asked.seconds, "took_s": round(took_s, 1), "changed": changed}
    print(json.dumps(found, indent=1))
    is_late = took_s - asked.seconds > max(10.0, 0.05 * asked.seconds)
    return int(is_late or found["twice"] > 0 or changed > 0 or found["pages"] != ["report.html"])


def quantized(folder: Path) -> str:
    """The demo model as Q4_0."""
    from cpu_codegen.packaged import demo_model

    made = str(folder / "demo-Q4_0.gguf")
    subprocess.run([sys.executable, "-c", QUANTIZE, str(demo_model()), made, "Q4_0"], check=True, capture_output=True)
    return made


def killed_after(command: list[str], seconds: float, number: signal.Signals) -> None:
    """Starts it and sends the signal, if it is not done before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.wait()


def keys_in(folder: Path) -> dict[str, list[str]]:
    """The keys of all whole lines, by run."""
    return {
        path.parent.name: [json.loads(line)["key"] for line in path.read_bytes().split(b"\n")[:-1]]
        for path in folder.glob("*/generations.jsonl")
    }


def told(folder: Path) -> dict[str, Any]:
    """What the folders say."""
    record = json.loads((folder / "group.json").read_text(encoding="utf-8"))
    keys = keys_in(folder)
    return {
        "status": record["status"],
        "answers": {run: len(found) for run, found in keys.items()},
        "blocks": [done["n"] for done in record["rounds"]],
        "twice": sum(len(found) - len(set(found)) for found in keys.values()),
        "pages": [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.html"))],
    }


if __name__ == "__main__":
    sys.exit(main())
