"""Answers that want to act in the page: they are shown, and nothing happens (`opened` asserts silence and no request)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.measure.findings import FINDINGS
from cpu_codegen.report.page import write_page
from cpu_codegen.report.page.document import MAX_BYTES
from cpu_codegen.report.summary import summarize
from tests.browser.conftest import Opened
from tests.report.support import write_run

HOSTILE = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\"><svg onload=\"document.title='owned'\">",
    "<iframe srcdoc=\"<script>parent.document.title='owned'</script>\"></iframe><base href='https://evil.example/'>",
    "<style>*{display:none}</style><link rel=stylesheet href=https://evil.example/x.css>",
    "\u202egnihton snruter\u2066 # looks right\u2069",
    "\x00\x1b[2J\x07\ud800 lone",
    "x" * 1_000_000 + "</script>",
    '"' * 30_000 + "\\" * 30_000,
    "<think>" * 20_000,
    "@DATA@ @POLICY@ @ROWS@ ${alert(1)} {{7*7}}",
    '"""' * 20_000,
]


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every hostile text as answer, code, message, detail, failure, prompt and model name."""
    root, texts = tmp_path_factory.mktemp("hostile"), iter(HOSTILE * 20)

    def poison(records: dict[str, Any]) -> None:
        text = next(texts)
        records["generation"]["text"] = text
        records["result"] |= {"code": text[:100_000], "message": text[:5000], "detail": text[:300], "outcome": "error"}
        records["result"]["failure"] = {"input": text[:2000], "expected": text[:2000], "got": text[:2000]}
        if not text.isprintable():
            records["efficiency"] = None
            return
        records["result"]["outcome"] = "passed"
        static = {**{name: [text[:50]] for name in FINDINGS}, "dangerous_calls": {text[:50]: 2}, "ruff": {text[:50]: 1}}
        records["efficiency"] |= {
            "reason": text[:400],
            "unreached": {"lines": [1, 10**9], "tests": 1, "of": 2},
            "static": static,
        }

    def name(manifest: dict[str, Any]) -> None:
        manifest["model"]["name"] = "</title><script>document.title='owned'</script>@ROWS@"
        manifest["sessions"][0]["argv"] = ["run", "-m", "</script>\u202e"]
        manifest["engine"]["build"] = "<img src=x onerror=alert(1)>"

    folder = write_run(root / "run", limit=12, share=1.0, change=poison, change_manifest=name)
    return write_page([summarize(folder)], root / "report.html")


def test_no_hostile_answer_acts(hostile_page: Path, opened: Opened) -> None:
    """Each answer is opened whole: the title stays, no element of it exists, its text is there to read, made visible where it
    would reorder or control.
    """
    with opened(hostile_page) as page:
        title, words = page.title(), ""
        for number in range(2 * len(HOSTILE)):
            page.evaluate(f"location.hash = '#sample={number}'")
            page.wait_for_selector("#sample[open] #sample-h")
            words += page.locator("#sample").text_content()
        assert page.title() == title
        assert page.locator("img, iframe, base, link, main style, dialog style, dialog script").count() == 0
        assert page.locator("script").count() == 3
        assert all(text[:40] in words for text in HOSTILE if text.isprintable())
        assert not set(words) & set("\u202e\u2066\u2069\x00\x1b\x07")
        assert "\\u{202e}" in words


def test_the_page_stays_small_whatever_the_answers(hostile_page: Path) -> None:
    """Long answers are cut, and the page says so."""
    assert hostile_page.stat().st_size < MAX_BYTES


def test_the_policy_forbids_what_a_hole_would_need(hostile_page: Path, chromium: Any) -> None:
    """Only the page's own hashed texts run; were markup of an answer ever inserted, the browser would refuse it."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(hostile_page.as_uri())
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.evaluate(INSERT_MARKUP) == "refused"
    context.close()


INSERT_MARKUP = "() => { try { document.body.innerHTML += '<b>x</b>'; return 'allowed'; } catch { return 'refused'; } }"
