"""The page that a real run of the demo model writes, in a browser. CPU_CODEGEN_SCREENSHOTS=DIR keeps pictures of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Opened

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """report.html of a run of the demo model (CPU_CODEGEN_DEMO_RUN: of a run that is there already)."""
    ready = os.environ.get("CPU_CODEGEN_DEMO_RUN")
    if ready:
        return Path(ready).resolve() / "report.html"
    folder = tmp_path_factory.mktemp("demo") / "run"
    command = [
        sys.executable,
        "-m",
        "cpu_codegen",
        "run",
        "-m",
        "demo",
        "-t",
        "1",
        "--style",
        "plain,cot",
        "--limit",
        "4",
    ]
    subprocess.run(
        [*command, "--efficiency-budget", "2s", "--out", str(folder)], check=True, capture_output=True, timeout=600
    )
    return folder / "report.html"


@pytest.mark.parametrize(("name", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_real_run_can_be_read(demo_page: Path, opened: Opened, name: str, viewport: dict[str, int]) -> None:
    """It says that the demo model is no advice; sorting, filtering, another axis, and a sample work on real data."""
    with opened(demo_page, viewport=viewport) as page:
        _picture(page, name)
        assert "demo model" in page.locator("h1").inner_text()
        page.locator("#results thead button").nth(2).click()
        page.locator("#filter").fill("cot")
        assert page.locator("#results tbody tr:visible").count() == 1
        page.locator("#axis").select_option("tokens")
        page.evaluate("location.hash = '#samples?style=plain'")
        page.locator("#samples tbody a").first.click()
        page.wait_for_selector("#sample[open]")
        assert "def " in page.locator("#sample").inner_text()
        _picture(page, f"{name}-sample")
        assert "CPU" in page.locator("#foot").text_content()


def _picture(page: object, name: str) -> None:
    folder = os.environ.get("CPU_CODEGEN_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))  # type: ignore[attr-defined]
