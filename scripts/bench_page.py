"""How large and how fast the page is with many answers: `scripts/bench_page.py [--answers 10000] [--models 1]`.

    build          seconds from the summaries to the text of the page, and its bytes (aim: under 3 MB)
    longest        characters of the longest answer in it, of 1,200 that each was given
    ready          seconds in Chromium until all sections are drawn
    list, sample   seconds until a filtered list and one answer are there

The answers are synthetic, as the tests' are; half of each is drawn at random, so that they do not deflate better than real ones.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import shutil
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cpu_codegen.report.page import page_html
from cpu_codegen.report.summary import RunSummary, summarize
from tests.report.support import write_run

FLAGS = ["--no-sandbox", "--disable-gpu"]
LETTERS = 1200  # of an answer


def runs(folder: Path, answers: int, models: int) -> list[RunSummary]:
    """So many answers, shared among the models, over 60 problems in two styles."""
    rng = random.Random(0)

    def wordy(records: dict[str, Any]) -> None:
        words = " ".join(f"{rng.choice('abcdefgh')}{rng.randint(0, 9999)}" for _ in range(LETTERS // 10))
        code = records["result"]["code"] + "    # a remark that many programs share\n" * (LETTERS // 100)
        records["generation"]["text"] = f"{words}\n```python\n{code}```\n"
        records["result"]["code"] = code

    n = max(1, answers // (120 * models))
    return [
        summarize(write_run(folder / f"m{i}", name=f"model-{i}@q4_k_m", n=n, seed=i, change=wordy))
        for i in range(models)
    ]


def told(page: str) -> dict[str, Any]:
    """What the page carries."""
    data: dict[str, Any] = json.loads(
        zlib.decompress(base64.b64decode(page.partition('id="data">')[2].partition("<")[0]), -15)
    )
    return data


def in_browser(path: Path) -> dict[str, float]:
    """Seconds in Chromium; empty where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("no Chromium: the page was not opened", file=sys.stderr)
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        times, begun = {}, time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        times["ready"] = time.perf_counter() - begun
        for name, address, shown in (
            ("list", "#samples?outcome=failed&sort=seconds", "#samples tbody a"),
            ("sample", "#sample=1", "#sample[open] pre"),
        ):
            begun = time.perf_counter()
            page.evaluate(f"location.hash = '{address}'")
            page.wait_for_selector(shown)
            times[name] = time.perf_counter() - begun
        browser.close()
    return times


def main() -> None:
    """Prints one figure a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        summaries = runs(Path(folder), asked.answers, asked.models)
        begun = time.perf_counter()
        html = page_html(summaries)
        built = time.perf_counter() - begun
        data, path = told(html), Path(folder) / "report.html"
        path.write_text(html, encoding="utf-8")
        print(f"build    {built:.2f} s, {len(html.encode()):,} bytes for {len(data['samples']):,} answers", flush=True)
        print(f"longest  {max(len(data['strings'][sample['text']]) for sample in data['samples']):,} characters")
        for name, seconds in in_browser(path).items():
            print(f"{name:<8} {seconds:.2f} s")


if __name__ == "__main__":
    main()
