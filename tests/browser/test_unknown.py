"""The page of a run that was killed: what is unknown has its own bar, column and note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cpu_codegen.report.page import write_page
from cpu_codegen.report.summary import summarize
from tests.browser.conftest import Opened
from tests.report.support import write_run


def test_unknown_answers_are_drawn_and_told(tmp_path: Path, opened: Opened) -> None:
    """Nine problems, three of them in flight: n = "9, 3 unknown" in the table, 3 in the bar, the reason in a note."""
    names: list[str] = []

    def begin(manifest: dict[str, Any]) -> None:
        names.extend(manifest["scope"]["problems"])
        manifest["status"] = "running"

    def leave_out(records: dict[str, Any]) -> None:
        if records["generation"]["problem_id"] in names[-3:]:
            records["generation"] = records["result"] = records["efficiency"] = None

    run = write_run(tmp_path / "run", limit=9, styles=("plain",), change=leave_out, change_manifest=begin)
    page_file = write_page([summarize(run)], tmp_path / "report.html")
    with opened(page_file) as page:
        assert page.locator("#results tbody td").nth(6).inner_text() == "9, 3 unknown"
        assert page.locator("#outcomes a[aria-label$='3 unknown']").count() == 1
        table = page.locator("#outcomes table").first
        told = table.locator("tbody td").nth(table.locator("thead th").all_inner_texts().index("unknown") - 1)
        assert told.inner_text() == "3"
        assert told.locator("a").count() == 0  # they never came: there is nothing to lead to
        assert "3 answers are unknown" in page.locator(".notes").inner_text()
