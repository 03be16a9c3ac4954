"""Points by people: stored one by one, in an order of their own, compared with others' and with the tests'."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.errors import UsageError
from cpu_codegen.review.agreement import TESTS, agreements, cohen_kappa, disagreements
from cpu_codegen.review.grading import Grading, open_grading, read_grades
from cpu_codegen.review.rubric import DEFAULT, load_rubric
from cpu_codegen.review.web import Server, grading_page
from tests.report.support import write_run


def grading_of(path: Path, reviewer: str = "ann", *, blind: bool = False) -> Grading:
    """A reviewer's work on a run of six answers."""
    if not path.exists():
        write_run(path, limit=6, styles=("plain",), share=0.5)
    return open_grading([path], reviewer=reviewer, rubric=DEFAULT, blind=blind)


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [
        ("yyyyynnnnn", "yyyyynnnnn", 1.0),
        ("yn" * 10, "yynn" * 5, 0.0),
        # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, expected 0.5 (a textbook example)
        ("y" * 25 + "n" * 25, "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15, 0.4),
    ],
)
def test_kappa_agrees_with_known_values(first: str, second: str, kappa: float) -> None:
    """Perfect, chance alone, and a worked example."""
    assert cohen_kappa(first, second) == pytest.approx(kappa)


def test_kappa_is_not_claimed_where_it_is_not_defined() -> None:
    """No items, or raters who used one word only."""
    assert cohen_kappa("", "") is None
    assert cohen_kappa("yyy", "yyy") is None


def test_grading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What was graded does not come again; each reviewer has an order of their own; a later grade replaces the first."""
    grading = grading_of(tmp_path / "run")
    order = [sample["key"] for sample in grading.left()]
    grading.give(order[0], {"correct": 1.0, "format": 1.0})
    assert [sample["key"] for sample in grading_of(tmp_path / "run").left()] == order[1:]
    others = [[s["key"] for s in grading_of(tmp_path / "run", name).left()] for name in ("bob", "cleo", "dora")]
    assert any(other != order for other in others)
    grading.give(order[0], {"correct": 0.5, "format": 0.0}, "second thoughts")
    assert [g["points"]["correct"] for g in grading.grades()] == [0.5]


def test_points_outside_the_rubric_are_refused(tmp_path: Path) -> None:
    """Nothing is stored."""
    grading = grading_of(tmp_path / "run")
    key = grading.left()[0]["key"]
    for points in ({"correct": 0.7, "format": 1.0}, {"correct": 1.0}, {"correct": float("nan"), "format": 1.0}):
        with pytest.raises(UsageError):
            grading.give(key, points)
    with pytest.raises(UsageError):
        grading.give("no such key", {"correct": 1.0, "format": 1.0})
    assert grading.grades() == []


def test_reviewers_are_compared_with_each_other_and_with_the_tests(tmp_path: Path) -> None:
    """A reviewer who says what the tests say has kappa 1 with them; each difference is listed with who said what."""
    ann, bob = grading_of(tmp_path / "run"), grading_of(tmp_path / "run", "bob")
    for sample in ann.samples:
        ann.give(sample["key"], {"correct": float(sample["outcome"] == "passed"), "format": 1.0})
    odd = bob.samples[0]
    for sample in bob.samples:
        right = (sample["outcome"] == "passed") != (sample is odd)
        bob.give(sample["key"], {"correct": float(right), "format": 1.0})
    found = {(a.criterion, a.first, a.second): a for a in agreements(ann)}
    assert found["correct", "ann", TESTS].kappa == pytest.approx(1.0)
    assert found["correct", "ann", "bob"].agreed == 5
    assert found["format", "ann", "bob"].kappa is None
    listed = disagreements(ann)
    assert [(d.problem_id, d.criterion) for d in listed] == [(odd["problem_id"], "correct")]
    assert {who for who, _ in listed[0].said} == {"ann", "bob", TESTS}


def test_the_tests_are_no_rater_of_what_they_could_not_judge(tmp_path: Path) -> None:
    """A harness error is nobody's word: such an answer is in no comparison with the tests."""
    outcomes = iter(["harness_error", "passed", "wrong", "passed", "wrong", "passed"])

    def told(records: dict[str, Any]) -> None:
        records["result"]["outcome"] = next(outcomes)

    write_run(tmp_path / "run", limit=6, styles=("plain",), change=told)
    ann = grading_of(tmp_path / "run")
    for sample in ann.samples:
        ann.give(sample["key"], {"correct": float(sample["outcome"] == "passed"), "format": 1.0})
    (with_tests,) = [a for a in agreements(ann) if TESTS in (a.first, a.second)]
    assert (with_tests.n, with_tests.agreed) == (5, 5)
    assert disagreements(ann) == []


def test_a_models_grades_are_one_more_reviewer(tmp_path: Path) -> None:
    """Imported by command, then in the summary."""
    grading = grading_of(tmp_path / "run")
    path = tmp_path / "grades.jsonl"
    lines = [{"generation": s["key"], "points": {"correct": 1, "format": 1}} for s in grading.samples]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = CliRunner().invoke(
        app,
        ["review", str(tmp_path / "run"), "--reviewer", "judge-model", "--import", str(path)],
        catch_exceptions=False,
    )
    assert run.exit_code == 0
    told = CliRunner().invoke(app, ["review", str(tmp_path / "run"), "--summary", "-o", "json"], catch_exceptions=False)
    assert json.loads(told.stdout)["points"][0] == {
        "reviewer": "judge-model",
        "graded": 6,
        "correct": 1.0,
        "format": 1.0,
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"generation": "no such key", "points": {"correct": 1, "format": 1}}, "no answer 'no such key' in this run"),
        ({"points": {"correct": 1, "format": 1}}, "no generation or no points"),
        ({"generation": "{key}", "points": {"correct": 7, "format": 1}}, "correct: 7.0 is not allowed"),
        ("{", "not JSON"),
    ],
)
def test_a_file_of_grades_with_a_bad_line_is_refused_as_a_whole(tmp_path: Path, line: object, says: str) -> None:
    """Exit 2 with the line's number; the right lines before it are not stored either."""
    grading = grading_of(tmp_path / "run")
    first, second = (sample["key"] for sample in grading.samples[:2])
    good = json.dumps({"generation": first, "points": {"correct": 1, "format": 1}})
    bad = line if isinstance(line, str) else json.dumps(line).replace("{key}", second)
    (tmp_path / "grades.jsonl").write_text(f"{good}\n{bad}\n")
    run = CliRunner().invoke(app, ["review", str(tmp_path / "run"), "--import", str(tmp_path / "grades.jsonl")])
    assert isinstance(run.exception, UsageError)
    assert f"grades.jsonl:2: {says}" in str(run.exception)
    assert grading.grades() == []


def test_the_runs_of_a_group_are_graded_together(tmp_path: Path) -> None:
    """One order over all answers; each grade is kept with its run, also where one file under two names answered alike."""
    for name in ("one", "two"):
        write_run(
            tmp_path / "night" / name, name=f"{name}@q4_0", limit=3, styles=("plain",), seed=len(name) + (name > "one")
        )
    shutil.copytree(tmp_path / "night" / "one", tmp_path / "night" / "same")
    models = [{"folder": name} for name in ("one", "two", "same")]
    (tmp_path / "night" / "group.json").write_text(json.dumps({"models": models}))
    folders = [tmp_path / "night" / name for name in ("one", "two", "same")]
    grading = open_grading(folders, reviewer="ann", rubric=DEFAULT)
    assert len(grading.left()) == 6
    for sample in grading.left()[:4]:
        grading.give(sample["key"], {"correct": 1.0, "format": 1.0})
    assert len(grading.left()) == 2
    kept = [len(read_grades(folder)) for folder in folders]
    assert kept[0] == kept[2]
    assert kept[0] + kept[1] == 4
    told = CliRunner().invoke(
        app, ["review", str(tmp_path / "night"), "--summary", "-o", "json"], catch_exceptions=False
    )
    assert json.loads(told.stdout)["points"][0]["graded"] == 4


@pytest.mark.parametrize(
    "text",
    [
        "criteria: []",
        "criteria: 3",
        "- x",
        "criteria: [{name: a, points: [1]}]",
        "criteria: [{name: 'a b', points: [0, 1]}]",
        "{",
    ],
)
def test_a_bad_rubric_is_named(tmp_path: Path, text: str) -> None:
    """The error names the file and where the format is described."""
    path = tmp_path / "rubric.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"rubric\.yaml") as caught:
        load_rubric(path)
    assert "docs/review.md" in (caught.value.remedy or "")


def test_an_own_rubric_is_read(tmp_path: Path) -> None:
    """Points are sorted; its hash differs from the default's."""
    path = tmp_path / "rubric.yaml"
    path.write_text("criteria:\n  - name: style\n    question: Is it readable?\n    points: [2, 0, 1]\n")
    rubric = load_rubric(path)
    assert rubric.criteria[0].points == (0.0, 1.0, 2.0)
    assert rubric.hash != DEFAULT.hash


# ── in the browser ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A grading served on a free port."""
    with Server(grading_of(tmp_path / "run", blind=True), lambda sample: "Sort <the> list.") as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: Server, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    """Status and text of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded", **sent})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_the_page_hides_the_outcome_when_blind_and_escapes(server: Server) -> None:
    """Statement and answer are shown as text; the tests' word is not in the page."""
    status, text = ask(server, "GET", f"/?token={server.token}")
    assert status == 200
    assert "Sort &lt;the&gt; list." in text
    assert "tests:" not in text


def test_a_grade_given_in_the_browser_is_stored(server: Server) -> None:
    """The form's fields come back; then the next answer follows."""
    key = server.grading.left()[0]["key"]
    form = urlencode({"token": server.token, "key": key, "correct": "0.5", "format": "1", "note": "close"})
    status, _ = ask(server, "POST", "/", form, Origin=f"http://{server.host}")
    assert status == 303
    assert [(g["generation"], g["points"]["correct"], g["blind"]) for g in server.grading.grades()] == [
        (key, 0.5, True)
    ]


def test_a_skipped_answer_comes_last(server: Server) -> None:
    """The page's link leads to the one behind it; when all others are graded it is there again."""
    first, *others = server.grading.left()
    page = ask(server, "GET", f"/?token={server.token}")[1]
    assert f"after={first['key']}" in page
    page = ask(server, "GET", f"/?token={server.token}&after={first['key']}")[1]
    assert f'value="{others[0]["key"]}"' in page
    for sample in others:
        server.grading.give(sample["key"], {"correct": 1.0, "format": 1.0})
    page = ask(server, "GET", f"/?token={server.token}&after={others[-1]['key']}")[1]
    assert f'value="{first["key"]}"' in page


def test_a_slip_can_be_corrected_where_nothing_was_hidden(tmp_path: Path) -> None:
    """The page behind a grade links back to its answer; when grading blind it does not."""
    for blind in (False, True):
        grading = grading_of(tmp_path / f"run{blind}", blind=blind)
        with Server(grading, lambda sample: "") as quiet:
            key = grading.left()[0]["key"]
            grading.give(key, {"correct": 1.0, "format": 1.0})
            assert (f"again={key}" in grading_page(quiet, graded=key)) is not blind
            assert f'name="key" value="{key}"' in grading_page(quiet, again=key)


def test_points_given_blind_stay(server: Server) -> None:
    """Sent twice is stored once; others, now that the outcome was told, are refused with the reason."""
    key = server.grading.left()[0]["key"]
    fields = {"token": server.token, "key": key, "correct": "0.5", "format": "1"}
    for _ in range(2):
        assert ask(server, "POST", "/", urlencode(fields), Origin=f"http://{server.host}")[0] == 303
    status, text = ask(server, "POST", "/", urlencode(fields | {"correct": "1"}), Origin=f"http://{server.host}")
    assert (status, "the outcome has been told since" in text) == (400, True)
    assert len((server.grading.paths[0] / "reviews.jsonl").read_text().splitlines()) == 1


def test_blindness_ends_with_the_grade(server: Server) -> None:
    """What the tests said is shown of the answer just graded; asked of one that is not graded it stays hidden."""
    first, second = (sample["key"] for sample in server.grading.left()[:2])
    form = urlencode({"token": server.token, "key": first, "correct": "1", "format": "1"})
    assert ask(server, "POST", "/", form, Origin=f"http://{server.host}")[0] == 303
    assert "just graded; tests:" in ask(server, "GET", f"/?token={server.token}&graded={first}")[1]
    assert "tests:" not in ask(server, "GET", f"/?token={server.token}&graded={second}")[1]


@pytest.mark.parametrize("attack", ["no token", "wrong token", "other site", "rebound host", "cross-site fetch"])
def test_nobody_else_gets_in(server: Server, attack: str) -> None:
    """Without the token, from another site or under another host name: 403, and nothing is stored."""
    token = {"no token": "", "wrong token": "x" * 32}.get(attack, server.token)
    headers = {
        "other site": {"Origin": "http://evil.example"},
        "rebound host": {"Host": "evil.example"},
        "cross-site fetch": {"Sec_Fetch_Site": "cross-site"},
    }.get(attack, {})
    key = server.grading.left()[0]["key"]
    form = urlencode({"token": token, "key": key, "correct": "1", "format": "1"})
    assert ask(server, "POST", "/", form, **headers)[0] == 403
    status, text = ask(server, "GET", f"/?token={token}", **headers)
    assert status == 403
    assert "Sort" not in text
    assert server.grading.grades() == []


def test_a_huge_form_is_not_read(server: Server) -> None:
    """413 before a byte of it is parsed."""
    assert ask(server, "POST", "/", "note=" + "x" * 50_000)[0] == 413
