"""`--require`: what it understands, and that what it does not is pointed at."""

from __future__ import annotations

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.requirements import NAMES, parse_requirements

ISSUE = "ram<2G, ttft<5s, pass@1[lowcost60,plain]>0.5, s_per_problem<60, wh_per_problem<1"


def test_the_issues_own_example() -> None:
    """Claim: names, limits in base units and selectors are read as the issue writes them; a comma in brackets ends no term."""
    terms = parse_requirements(ISSUE)
    assert [(t.name, t.operator, t.limit, t.selectors) for t in terms] == [
        ("ram", "<", 2e9, ()),
        ("ttft", "<", 5.0, ()),
        ("pass@1", ">", 0.5, ("lowcost60", "plain")),
        ("s_per_problem", "<", 60.0, ()),
        ("wh_per_problem", "<", 1.0, ()),
    ]
    assert ", ".join(term.text for term in terms) == ISSUE


@pytest.mark.parametrize(
    ("text", "limit", "operator"),
    [
        ("ram<2Gi", 2 * 2**30, "<"),
        ("ram <= 512 MB", 512e6, "<="),
        ("ttft<500ms", 0.5, "<"),
        ("ttft_p95<2min", 120.0, "<"),
        ("pass@10>50%", 0.5, ">"),
        ("pass@1≥.625", 0.625, ">="),
        ("s_per_problem < 1m", 60.0, "<"),
        ("wh_per_problem<500mWh", 0.5, "<"),
        ("wh_per_problem<0.2Wh", 0.2, "<"),
    ],
)
def test_units_and_operators(text: str, limit: float, operator: str) -> None:
    """Claim: units stand behind numbers as elsewhere in the tool; a share may be written in percent."""
    (term,) = parse_requirements(text)
    assert term.limit == pytest.approx(limit)
    assert term.operator == operator


@pytest.mark.parametrize(
    ("text", "position", "says", "remedy"),
    [
        ("", 1, "a term is missing", "one of ram, "),
        ("ram<2G,", 8, "a term is missing", "one of ram, "),
        ("ram<2G, tfft<5s", 9, "'tfft' is not known", "ttft, ttft_p95, pass@K"),
        ("ram<2G, <5", 9, "expected a name", "one of ram, "),
        ("pass@0>0.5", 1, "'pass@0' is not known", "pass@K"),
        ("pass>0.5", 1, "'pass' is not known", "pass@K"),
        ("ram=2G", 4, "expected < or > after ram, not '='", "NAME<LIMIT"),
        ("ram", 4, "expected < or > after ram", "NAME<LIMIT"),
        ("ram<", 5, "expected a limit", "2G"),
        ("ram<2X", 5, "'2X' is no size", "2G"),
        ("ttft<2G", 6, "'2G' is no time", "500ms"),
        ("pass@1>50", 8, "'50' is no share", "50%"),
        ("ram<-1G", 5, "'-1G' is no size", "2G"),
        ("ram<nan", 5, "'nan' is no size", "2G"),
        ("ram<2G ttft<5s", 8, "expected a comma between two terms, not 't'", "NAME<LIMIT"),
        ("pass@1[>0.5", 8, "expected a suite, a style or a level", "lowcost60,plain"),
        ("pass@1[plain>0.5", 13, "expected ] or a comma, not '>'", "NAME<LIMIT"),
        ("pass@1[plain,]>0.5", 14, "expected a suite", "lowcost60,plain"),
        ("ram<2G;ttft<5s", 5, "'2G;ttft' is no size", "2G"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, position: int, says: str, remedy: str) -> None:
    """Claim: exit 2 with the exact position, a caret under it, and the names or forms that would do."""
    with pytest.raises(UsageError) as caught:
        parse_requirements(text)
    message = str(caught.value)
    assert message.startswith(f"--require, position {position}: {says}")
    assert message.splitlines()[-1] == "  " + " " * (position - 1) + "^"
    assert remedy in (caught.value.remedy or "")
    assert caught.value.exit_code == 2


def test_every_name_is_named_in_the_remedy() -> None:
    """Claim: the list of known names that an error gives is complete."""
    with pytest.raises(UsageError) as caught:
        parse_requirements("x<1")
    assert set(NAMES) | {"pass@K"} == set((caught.value.remedy or "").removeprefix("one of ").split(", "))
