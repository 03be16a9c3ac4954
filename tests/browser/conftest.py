"""Headless Chromium from the system's packages, driven by Playwright; where there is none, the tests say so in the last line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.report.page import write_page
from cpu_codegen.report.summary import summarize
from tests.report.support import fidelity, write_run

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

Opened = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests of this folder. Absent: skipped, and in CI with apt-get at hand that is said by .ci/run too."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("NO CHROMIUM: the page was not tried in a browser (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT: pip install -e '.[dev]'")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Opened:
    """`with opened(path) as page`: a page that is drawn; at the end nothing was complained of and nothing asked for."""

    @contextmanager
    def open_page(
        path: Path, *, viewport: dict[str, int] | None = None, scheme: str = "light", at: str = ""
    ) -> Iterator[Any]:
        context = chromium.new_context(viewport=viewport or DESKTOP, color_scheme=scheme)
        page, said, asked = context.new_page(), [], []
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url))
        page.set_default_timeout(15_000)
        try:
            page.goto(path.as_uri() + at)
            page.wait_for_selector("html[data-ready]", state="attached")
            yield page
            assert said == []
            assert {url.partition("#")[0] for url in asked} == {path.as_uri()}
            assert page.locator("#trouble").is_hidden()
        finally:
            context.close()

    return open_page


@pytest.fixture(scope="session")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page over three models, two of them quantizations of one."""
    root = tmp_path_factory.mktemp("page")
    folders = [
        write_run(root / "one", name="small@q4_k_m", share=0.6),
        write_run(root / "two", name="small@q8_0", share=0.65, slowness=1.8),
        write_run(root / "three", name="big@q4_k_m", share=0.95, slowness=4.6),
    ]
    return write_page([summarize(folder) for folder in folders], root / "report.html")


@pytest.fixture(scope="session")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every section of the page, few rows: what axe-core looks at (it takes seconds for thousands of elements)."""
    root = tmp_path_factory.mktemp("small")
    folders = [
        write_run(root / "one", name="small@q4_k_m", share=0.6, limit=5),
        write_run(root / "two", name="small@q8_0", share=0.5, limit=5),
    ]
    names = {quant: f"small@{quant}" for quant in ("q8_0", "q4_k_m")}
    (root / "fidelity.jsonl").write_text(fidelity(names, base="q8_0"), encoding="ascii")
    return write_page([summarize(folder) for folder in folders], root / "report.html")
