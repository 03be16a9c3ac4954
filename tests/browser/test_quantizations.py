"""Quantizations of one model, styles by level, fidelity and published scores on the page, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.report.page import write_page
from cpu_codegen.report.summary import summarize
from tests.browser.conftest import DESKTOP, PHONE, Opened
from tests.report.support import fidelity, write_run

SIZES = {"q8_0": 8, "q5_k_m": 6, "q4_k_m": 5, "q2_k": 3}
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">\u202eq9"


@pytest.fixture(scope="module")
def ladder_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four quantizations of a model of the registry in two styles, and one that `ladder` alone has seen."""
    root = tmp_path_factory.mktemp("ladder")
    names = {quant: f"qwen2.5-coder-1.5b@{quant}" for quant in SIZES}

    def sized(manifest: dict[str, Any]) -> None:
        manifest["model"]["size_bytes"] = SIZES[manifest["model"]["quant"]] * 10**8

    folders = [
        write_run(
            root / quant,
            name=name,
            share=0.4 + SIZES[quant] / 20,
            limit=24,
            change_manifest=sized,
            slowness=SIZES[quant],
        )
        for quant, name in names.items()
    ]
    (root / "fidelity.jsonl").write_text(
        fidelity({**names, "q3_k_m": HOSTILE}, base="q8_0", sizes=SIZES), encoding="ascii"
    )
    return write_page([summarize(folder) for folder in folders], root / "report.html")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_a_ladder_is_drawn_from_the_smallest_file_to_the_largest(
    ladder_page: Path, opened: Opened, viewport: dict[str, int]
) -> None:
    """pass@1, speed and memory with a mark per file and style, each leading to its samples; the menu leads here."""
    with opened(ladder_page, viewport=viewport) as page:
        assert page.locator("#ladder-link").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        for name in ("pass@1", "tokens per second", "peak RAM"):
            picture = page.locator(f"#ladder svg[aria-label*='{name}']")
            assert picture.locator("a").count() == 8
            assert picture.locator(".tick text").all_text_contents()[:4] == ["q2_k", "q4_k_m", "q5_k_m", "q8_0"]
        page.locator("#ladder svg[aria-label*='pass@1'] a[aria-label^='q2_k, cot']").first.click()
        assert page.locator("#samples [role=status]").inner_text().startswith("24 samples · model")


def test_fidelity_names_its_base_and_stands_apart(ladder_page: Path, opened: Opened) -> None:
    """Table and pictures; the base has no divergence; a file that was never run leads nowhere."""
    with opened(ladder_page) as page:
        table = page.locator("#ladder table").last
        assert "Fidelity to qwen2.5-coder-1.5b@q8_0 (800 MB, sha256" in table.locator("caption").inner_text()
        assert table.locator("tbody tr").count() == 5
        assert "the base" in table.locator("tbody tr").first.inner_text()
        assert "further" in table.locator("tbody tr").nth(2).inner_text()
        marks = page.locator("#ladder svg[aria-label*='KL to the base'] a")
        assert marks.count() == 4
        assert "q2_k: " in (marks.nth(1).get_attribute("aria-label") or "")


def test_a_hostile_file_name_in_a_ladder_is_shown_and_does_nothing(ladder_page: Path, opened: Opened) -> None:
    """It comes from fidelity.jsonl, not from a run."""
    with opened(ladder_page) as page:
        words = page.locator("#ladder").inner_text()
        assert "onerror" in words
        assert "\\u{202e}" in words
        assert page.title() != "owned"
        assert page.locator("#ladder img").count() == 0


def test_styles_are_compared_by_level(ladder_page: Path, opened: Opened) -> None:
    """All levels with a verdict, each level with its interval and without one; marks lead to that level's samples."""
    with opened(ladder_page) as page:
        marks = page.locator("#levels svg[aria-label*='difference of pass@1'] a")
        levels = {
            (marks.nth(i).get_attribute("aria-label") or "").split(", ")[1].split(":")[0] for i in range(marks.count())
        }
        assert {"all levels", "easy"} <= levels
        rows = page.locator("#levels table", has_text="Styles on the same problems").locator("tbody tr")
        assert rows.count() == marks.count()
        page.locator("#levels svg[aria-label*='difference of pass@1'] a[aria-label*='easy']").first.click()
        assert "level=easy" in page.url


def test_published_scores_stand_in_a_table_of_their_own(ladder_page: Path, opened: Opened) -> None:
    """With setting and source, and with the words that say what they are."""
    with opened(ladder_page) as page:
        page.locator("summary", has_text="published scores").click()
        table = page.locator("[aria-label^='Published, unquantized'] table")
        assert "published, unquantized, not measured here" in table.inner_text()
        assert "EvalPlus" in table.inner_text()


def test_a_page_without_a_family_has_no_such_section(three_runs: Path, opened: Opened, tmp_path: Path) -> None:
    """Neither in the page nor in the menu; models that the registry does not know have no published scores."""
    folder = write_run(tmp_path / "run", limit=6)
    with opened(write_page([summarize(folder)], tmp_path / "report.html")) as page:
        assert page.locator("#ladder").is_hidden()
        assert page.locator("#ladder-link").is_hidden()
        assert page.locator("[aria-label^='Published']").count() == 0
    with opened(three_runs) as page:
        assert page.locator("#ladder .triple svg").count() == 3


def test_the_same_pictures_are_written_for_papers(ladder_page: Path, tmp_path: Path) -> None:
    """pass@1 and fidelity against the size of the file, beside the others."""
    pytest.importorskip("matplotlib")
    from cpu_codegen.report.paper import write_figures

    folders = [ladder_page.parent / quant for quant in SIZES]
    written = {path.name for path in write_figures([summarize(folder) for folder in folders], tmp_path)}
    assert {"ladder.svg", "ladder.png", "fidelity.svg", "fidelity.png"} <= written
    assert "model file in GB" in (tmp_path / "fidelity.svg").read_text(encoding="utf-8")
