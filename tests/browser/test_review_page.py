"""The page on which people grade, in a real browser: it can be used by eye, by ear and by keyboard, and no answer acts in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.review.grading import open_grading, read_grades
from cpu_codegen.review.rubric import DEFAULT
from cpu_codegen.review.web import Server
from tests.browser.conftest import DESKTOP, PHONE
from tests.report.support import write_run

SMALL = {"width": 320, "height": 640}
HOSTILE = (
    "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\u202e" + "x" * 3000
)
Served = Callable[..., AbstractContextManager[tuple[Any, Server]]]


@pytest.fixture
def served(tmp_path: Path, chromium: Any) -> Served:
    """`with served() as (page, server)`: a grading of three hostile answers; the browser asks nobody else for anything."""

    def poison(records: dict[str, Any]) -> None:
        records["generation"]["text"] = HOSTILE
        records["result"] |= {"outcome": "wrong", "failure": {"input": HOSTILE, "expected": "1", "got": "2"}}

    @contextmanager
    def serve(
        *, blind: bool = False, viewport: dict[str, int] = DESKTOP, scheme: str = "light"
    ) -> Iterator[tuple[Any, Server]]:
        run = write_run(tmp_path / "run", limit=3, styles=("plain",), change=poison)
        grading = open_grading([run], reviewer="ann", rubric=DEFAULT, blind=blind)
        with Server(grading, lambda sample: HOSTILE) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            context = chromium.new_context(viewport=viewport, color_scheme=scheme)
            try:
                page, asked = context.new_page(), []
                page.on("request", lambda request: asked.append(request.url))
                page.goto(server.url)
                yield page, server
                assert all(url.startswith(f"http://{server.host}/") for url in asked)
            finally:
                context.close()
                server.shutdown()
                thread.join()

    return serve


def faults(page: Any) -> list[tuple[str, str]]:
    """axe-core's findings: WCAG A, AA and best practice."""
    from axe_playwright_python.sync_playwright import Axe

    return [(found["id"], found["nodes"][0]["html"]) for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESKTOP, "light"), (PHONE, "dark"), (SMALL, "light")],
    ids=["desktop", "dark phone", "small"],
)
def test_axe_finds_nothing(served: Served, viewport: dict[str, int], scheme: str) -> None:
    """On the form, on a refusal and at the end; and no text of 3,000 letters without a space makes the page scroll sideways."""
    with served(viewport=viewport, scheme=scheme) as (page, server):
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert faults(page) == []
        page.locator("form").evaluate("form => { form.noValidate = true; form.submit(); }")
        page.wait_for_selector("h1:text('Not stored')")
        assert faults(page) == []
        for sample in server.grading.left():
            server.grading.give(sample["key"], {"correct": 0.0, "format": 1.0})
        page.goto(server.url)
        page.wait_for_selector("h1:text('Done')")
        assert faults(page) == []


def test_the_keyboard_is_enough(served: Served) -> None:
    """Tab reaches skip, both texts, each question and the button; Space gives points, Enter stores, the next answer is there."""
    with served() as (page, server):
        first = server.grading.left()[0]
        names = []
        for _ in range(7):
            page.keyboard.press("Tab")
            names.append(page.evaluate(NAME))
            if names[-1].startswith("radio"):
                page.keyboard.press("Space")
        assert names == [
            "skip this answer",
            "Statement",
            "Answer",
            "radio correct",
            "radio format",
            "note",
            "store and go on",
        ]
        page.keyboard.press("Enter")
        page.wait_for_url("**graded=*")
        (grade,) = read_grades(server.grading.paths[0])
        assert (grade["generation"], grade["points"]) == (first["key"], {"correct": 0.0, "format": 0.0})
        assert page.locator("h1").inner_text() == server.grading.left()[0]["problem_id"]


def test_a_refusal_leads_back(served: Served) -> None:
    """Points that were given blind stay; the page says so and leads to that answer or on to the next."""
    with served(blind=True) as (page, server):
        key, following = (sample["key"] for sample in server.grading.left()[:2])
        server.grading.give(key, {"correct": 1.0, "format": 1.0})
        page.goto(f"{server.url}&again={key}")
        page.locator("input[name=correct][value='0']").check()
        page.locator("input[name=format][value='1']").check()
        page.locator("button").click()
        assert "the outcome has been told since" in page.locator("main").inner_text()
        page.get_by_text("the next one").click()
        assert page.locator("input[name=key]").get_attribute("value") == following


def test_no_answer_acts(served: Served) -> None:
    """Markup in statement, answer and failing input is text there; what would reorder letters is spelled."""
    with served() as (page, _):
        words = page.locator("main").inner_text()
        assert page.title().startswith("lowcost60/")
        assert page.locator("img, script").count() == 0
        assert words.count("onerror=") == 3
        assert words.count("\\u{202e}") == 3


NAME = """() => {
  const node = document.activeElement;
  return node.type === "radio" ? `radio ${node.name}` : node.ariaLabel ?? (node.labels?.[0] ?? node).textContent;
}"""
