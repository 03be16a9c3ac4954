"""The page in a real browser: what a reader does with it works, and it asks no server for anything (see `opened`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.report.page import write_page
from cpu_codegen.report.summary import summarize
from tests.browser.conftest import DESKTOP, PHONE, Opened
from tests.report.support import write_run


def column(page: Any, number: int) -> list[str]:
    """The shown texts of one column of the table of results."""
    return [t.strip() for t in page.locator(f"#results tbody tr:visible > :nth-child({number})").all_inner_texts()]


def listed(page: Any, words: str) -> bool:
    """Waits until the list of samples begins with these words: a link's hashchange comes a little after the click."""
    page.wait_for_function(
        "words => document.querySelector('#samples [role=status]').textContent.startsWith(words)", arg=words
    )
    return True


def test_the_first_screen_names_a_model(three_runs: Path, opened: Opened) -> None:
    """The answer is a heading, with its reason and its rule on the page."""
    with opened(three_runs) as page:
        assert page.locator("h1").inner_text().startswith("On this machine: big@q4_k_m")
        assert "per problem" in page.locator(".because").inner_text()
        assert "Rule:" in page.locator("#table .fine").inner_text()
        assert page.locator("#results .advised").count() == page.locator("#pareto circle.advised").count() == 1
        assert "big@q4_k_m" in page.locator("#results tr", has=page.locator(".advised")).inner_text()
        assert page.locator("h1").bounding_box()["y"] < 200


def test_a_click_on_a_column_sorts_and_a_second_one_turns_it_round(three_runs: Path, opened: Opened) -> None:
    """Numbers sort as numbers, and the state is told to screen readers."""
    with opened(three_runs) as page:
        head = page.locator("#results thead th").nth(3)
        head.locator("button").click()
        rising = [float(text) for text in column(page, 4)]
        assert rising == sorted(rising)
        assert head.get_attribute("aria-sort") == "ascending"
        head.locator("button").press("Enter")
        assert [float(text) for text in column(page, 4)] == rising[::-1]
        assert head.get_attribute("aria-sort") == "descending"


def test_every_other_table_sorts_too(three_runs: Path, opened: Opened) -> None:
    """Figures with units, signs and intervals by size, words by alphabet."""
    with opened(three_runs) as page:
        table = page.locator("#outcomes table").first
        table.locator("thead button").nth(1).click()
        passed = [int(text) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
        assert passed == sorted(passed)
        assert passed[0] < passed[-1]
        table.locator("thead button").first.click()
        names = table.locator("tbody th").all_inner_texts()
        assert names == sorted(names)
        assert table.locator("th[aria-sort]").all_inner_texts() == ["model and style"]
        figures = ["≥ 1.41× [1.12, 1.88]", "−0.10 [−0.21, +0.01]", "1,640", "412 MB", "1.2 GB", "n^-0.02 v n^1.00", "–"]
        table.locator("tbody td:nth-child(2)").evaluate_all(SET_TEXTS, figures)
        table.locator("thead button").nth(1).click()
        shown = table.locator("tbody td:nth-child(2)").all_inner_texts()
        assert shown == [
            "−0.10 [−0.21, +0.01]",
            "n^-0.02 v n^1.00",
            "≥ 1.41× [1.12, 1.88]",
            "1,640",
            "412 MB",
            "1.2 GB",
        ]


def test_a_columns_name_sorts_the_whole_list_of_samples(three_runs: Path, opened: Opened) -> None:
    """Not only the rows in sight; the address keeps it, the focus stays, and a second time the run's order is back."""
    with opened(three_runs) as page:
        head = page.locator("#samples th", has=page.locator("[data-sort=seconds]"))
        place = head.evaluate("node => node.cellIndex + 1")
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "descending"
        assert page.url.endswith("sort=seconds")
        assert page.evaluate("document.activeElement.dataset.sort") == "seconds"
        seconds = [float(text) for text in page.locator(f"#samples tbody td:nth-child({place})").all_inner_texts()]
        assert len(seconds) == 60
        assert seconds == sorted(seconds, reverse=True)
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") is None


def test_a_picture_of_many_answers_shows_the_slowest(tmp_path: Path, opened: Opened) -> None:
    """60 rows, and a link to all of them."""
    folder = write_run(tmp_path / "run", n=2, share=1.0, styles=("plain",))
    with opened(write_page([summarize(folder)], tmp_path / "report.html")) as page:
        figure = page.locator("#efficiency figure").last
        assert figure.locator("svg a").count() == 60
        page.locator("#efficiency a", has_text="all, the slowest first").click()
        assert listed(page, "120 samples")
        assert page.url.endswith("sort=ratio")


def test_the_filter_hides_other_rows_and_counts(three_runs: Path, opened: Opened) -> None:
    """Words are joined by and."""
    with opened(three_runs) as page:
        page.locator("#filter").fill("small cot")
        assert len(column(page, 1)) == 2
        assert page.locator("#shown").inner_text() == "2 of 6 rows"


@pytest.mark.parametrize(
    ("axis", "better"), [("tokens", "more is better"), ("ram", "less is better"), ("file", "less")]
)
def test_the_picture_changes_its_axis(three_runs: Path, opened: Opened, axis: str, better: str) -> None:
    """Every axis that was measured can be chosen; each row keeps its mark."""
    with opened(three_runs) as page:
        page.locator("#axis").select_option(axis)
        assert better in page.locator("#pareto svg").first.text_content()
        assert page.locator("#pareto svg a").count() == 6


def test_what_was_not_measured_cannot_be_chosen(three_runs: Path, opened: Opened) -> None:
    """Energy is offered with the reason why not."""
    with opened(three_runs) as page:
        option = page.locator("#axis option[value=energy]")
        assert option.is_disabled()
        assert "not measured" in option.inner_text()


def test_a_failing_sample_shows_its_input_above_the_code(three_runs: Path, opened: Opened) -> None:
    """From the bar of outcomes to the list to the sample: failing input, expected, got, then the code."""
    with opened(three_runs) as page:
        page.locator("#outcomes svg a[aria-label*=wrong]").first.click()
        page.locator("#samples tbody a").first.click()
        sheet = page.locator("#sample")
        assert sheet.get_attribute("open") is not None
        words = sheet.inner_text()
        places = [words.index(part) for part in ("failing input", "expected", "got", "Code that was executed", "def ")]
        assert places == sorted(places)
        assert sheet.locator("pre .kw").first.inner_text() == "def"


def test_a_sample_shows_prompt_statement_difference_and_timings(three_runs: Path, opened: Opened) -> None:
    """All that is known of one answer is one click away."""
    with opened(three_runs, at="#sample=0") as page:
        for summary in page.locator("#sample summary").all():
            summary.click()
        words = page.locator("#sample").inner_text()
        assert "<|user|>" in words
        assert "its share of the engine" in words
        assert page.locator("#sample .del").count() > 0
        assert page.locator("#sample .add").count() > 0


def test_the_keyboard_is_enough(three_runs: Path, opened: Opened) -> None:
    """Tab reaches the skip link first; in a sample the arrows turn pages and Escape goes back to where one was."""
    with opened(three_runs) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("#samples tbody a").nth(1).focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#sample[open]")
        first = page.locator("#sample-h").inner_text()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("before => document.getElementById('sample-h').textContent !== before", arg=first)
        second = page.locator("#sample-h").inner_text()
        page.locator("#sample pre").first.focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("#sample-h").inner_text() == second  # within a text the arrows scroll it
        page.keyboard.press("Escape")
        page.wait_for_selector("#sample:not([open])", state="attached")
        assert page.evaluate("document.activeElement.closest('#samples') !== null")


def test_an_address_names_a_filter(three_runs: Path, opened: Opened) -> None:
    """A link to a list of samples can be kept."""
    with opened(three_runs, at="#samples?style=cot&outcome=failed") as page:
        outcomes = page.locator("#samples tbody .badge").all_inner_texts()
        assert outcomes
        assert "passed" not in outcomes


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESKTOP, "light"), (PHONE, "dark"), ({"width": 320, "height": 640}, "light")],
    ids=["desktop", "dark phone", "small"],
)
def test_axe_finds_nothing(small_page: Path, opened: Opened, viewport: dict[str, int], scheme: str) -> None:
    """axe-core's rules (WCAG A, AA and best practice) hold on the page and on an open sample, with nothing scrolling sideways."""
    from axe_playwright_python.sync_playwright import Axe

    with opened(small_page, viewport=viewport, scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in Axe().run(page).response["violations"]] == []
        page.evaluate("location.hash = '#sample=1'")
        page.wait_for_selector("#sample[open]")
        assert [(v["id"], v["nodes"][0]["html"]) for v in Axe().run(page).response["violations"]] == []


def test_on_a_phone_the_table_stands_before_the_picture(three_runs: Path, opened: Opened) -> None:
    """The sentence, then the table, then the picture; on a desktop the picture first. The first screen shows which row is
    advised, and what it solves and takes without scrolling sideways.
    """
    with opened(three_runs, viewport=PHONE) as page:
        row = page.locator("#results tr", has=page.locator(".advised"))
        assert row.bounding_box()["y"] < PHONE["height"]
        seconds = row.locator("td").nth(2).bounding_box()
        assert seconds["x"] + seconds["width"] <= PHONE["width"]
        assert page.locator("#table").bounding_box()["y"] < page.locator("#picture").bounding_box()["y"]
    with opened(three_runs, viewport=DESKTOP) as page:
        assert page.locator("#table").bounding_box()["y"] > page.locator("#picture").bounding_box()["y"]


def test_an_address_may_hold_anything(small_page: Path, opened: Opened) -> None:
    """Filters of another page, of no page, or of the language itself: a list, no fault (`opened` asserts silence)."""
    with opened(small_page) as page:
        for address in (
            "run=99&finding=toString",
            "constructor=x&sort=constructor",
            "style=no&sort=__proto__",
            "outcome=%F0",
        ):
            page.evaluate(GO_TO, f"#samples?{address}")
            assert "sample" in page.locator("#samples [role=status]").inner_text()


def test_without_a_script_the_answer_and_the_table_are_there(three_runs: Path, chromium: Any) -> None:
    """What matters most is plain HTML."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(three_runs.as_uri())
    assert "big@q4_k_m" in page.locator("h1").inner_text()
    assert page.locator("#results tbody tr").count() == 6
    context.close()


def test_it_prints(three_runs: Path, opened: Opened) -> None:
    """On paper: no controls, dark ink on white, every row, the machine and the command at the foot."""
    with opened(three_runs, scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.locator("#filter").is_hidden()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.querySelector('.advised')).color") == "rgb(0, 122, 90)"
        assert page.locator("#results tbody tr:visible").count() == 6
        assert page.pdf()[:4] == b"%PDF"
        assert "repeat" in page.locator("#foot").inner_text()


def test_a_run_that_knows_no_costs_can_be_read_too(tmp_path: Path, opened: Opened) -> None:
    """Imported and half-judged answers: what is missing is said, the rest is drawn."""

    def bare(records: dict[str, Any]) -> None:
        kept = ("key", "problem_id", "suite", "level", "style", "index", "prompt_hash", "text", "finish_reason")
        records["generation"] = {name: records["generation"][name] for name in kept}
        records["efficiency"] = None
        if records["generation"]["level"] == "hard":
            records["result"] = None

    folder = write_run(tmp_path / "run", change=bare)
    with opened(write_page([summarize(folder)], tmp_path / "report.html")) as page:
        assert page.locator("#axis").input_value() == "file"
        assert page.locator("#axis option[value=seconds]").is_disabled()
        assert "not measured" in page.locator("#results tbody").inner_text()
        assert "No time was recorded" in page.locator("#time").inner_text()
        assert page.locator("#levels svg a").count() > 0
        page.evaluate("location.hash = '#sample=0'")
        page.wait_for_selector("#sample[open]")


def test_complexity_and_findings_lead_to_their_samples(three_runs: Path, opened: Opened) -> None:
    """A count of findings opens exactly those answers; a complexity opens them with the most complex first."""
    with opened(three_runs) as page:
        table = page.locator("#efficiency table", has=page.locator("th", has_text="lines that no test executes"))
        column = table.locator("thead th").all_inner_texts().index("lines that no test executes") + 1
        count = table.locator(f"tbody td:nth-child({column}) a").first
        wanted = int(count.inner_text())
        count.click()
        assert listed(page, f"{wanted} sample")
        assert "finding lines that no test executes" in page.locator("#samples [role=status]").inner_text()
        complexity = page.locator("#efficiency table", has_text="Halstead volume").locator("tbody a").first
        complexity.click()
        places = page.locator("#samples thead th").all_inner_texts()
        shown = page.locator(f"#samples tbody td:nth-child({places.index('complexity') + 1})").all_inner_texts()
        known = [float(text) for text in shown if text != "–"]
        assert known == sorted(known, reverse=True)
        assert known[0] > known[-1]


def test_a_sample_marks_the_lines_that_no_test_executes(tmp_path: Path, opened: Opened) -> None:
    """Marked in the code, named in words, beside findings by name and complexity next to the reference's."""

    def unreached(records: dict[str, Any]) -> None:
        records["efficiency"]["unreached"] = {"lines": [2, 3], "tests": 12, "of": 14}
        records["efficiency"]["static"] |= {"dangerous_calls": {"eval": 2}, "ruff": {"S307": 2, "F841": 1}}

    folder = write_run(tmp_path / "run", limit=3, share=1.0, styles=("plain",), change=unreached)
    with opened(write_page([summarize(folder)], tmp_path / "report.html"), at="#sample=0") as page:
        marked = page.locator("#sample .marked").all_text_contents()
        code = page.locator("#sample pre code").first.text_content()
        assert marked == code.split("\n")[1:3]
        words = page.locator("#sample").inner_text()
        for part in ("2 lines that no test executes (12 of 14 tests", "eval ×2", "S307 ×2", "F841", "cyclomatic"):
            assert part in words


def test_a_length_of_reference_leads_to_its_samples(three_runs: Path, opened: Opened) -> None:
    """The counts of a third are the samples that its link lists."""
    with opened(three_runs) as page:
        link = page.locator("#levels table", has_text="length of the reference").locator("tbody a").first
        n = link.inner_text().rpartition("/")[2].rstrip(")")
        link.click()
        assert listed(page, f"{n} samples")


def test_every_link_of_the_page_leads_to_samples(small_page: Path, opened: Opened) -> None:
    """No figure of a table leads to an empty list, to an unknown filter or out of the page."""
    with opened(small_page) as page:
        links = set(page.locator("main td a, main th a, main svg a").evaluate_all(HREFS))
        lists = sorted(link for link in links if link.startswith("#samples?"))
        assert len(lists) > 50
        assert not [link for link in links if not link.startswith(("#samples?", "#sample="))]
        assert page.evaluate(EMPTY_LISTS, lists) == []


SET_TEXTS = "(cells, texts) => cells.forEach((cell, i) => { cell.textContent = texts[i]; })"
GO_TO = (
    "to => new Promise(done => { addEventListener('hashchange', () => done(), { once: true }); location.hash = to; })"
)
HREFS = "nodes => nodes.map(node => node.getAttribute('href'))"
EMPTY_LISTS = """async (links) => {
  const empty = [];
  for (const link of links) {
    location.hash = link;
    await new Promise((done) => addEventListener("hashchange", done, { once: true }));
    if (!document.querySelector("#samples tbody a")) empty.push(link);
  }
  return empty;
}"""
