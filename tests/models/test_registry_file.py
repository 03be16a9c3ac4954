"""models.yaml: large enough, nothing invented, every complaint with line and field."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.models.catalogue import Catalogue, load_catalogue, user_file
from cpu_codegen.models.quants import quant_of
from cpu_codegen.models.spec import ModelSpec

SURVEY = ("mistral-7b-v0.2", "dolphin-2.6-mistral-7b", "openhermes-2.5-mistral-7b", "llama-2-7b", "llama-2-7b-chat")
SURVEY_OTHERS = ("zephyr-7b-beta", "phi-2", "minicpm-2b-dpo", "llama-3.1-8b")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The packaged registry."""
    return load_catalogue()


@pytest.fixture(scope="module")
def checked(shared: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The project's checked list, by repo and file."""
    with (shared / "models_verified.csv").open(encoding="utf-8", newline="") as file:
        return {(row["repo"], row["file"]): row for row in csv.DictReader(file)}


def of_hub(catalogue: Catalogue) -> list[ModelSpec]:
    """Entries that are downloaded."""
    return [spec for spec in catalogue.specs() if spec.repo]


def test_size(catalogue: Catalogue) -> None:
    """At least 60 files of at least 50 models."""
    assert len(of_hub(catalogue)) >= 60
    assert len(catalogue.models) >= 50


def test_survey_is_covered(catalogue: Catalogue) -> None:
    """Every model of the survey has an entry; dolphin has the quantization ladder."""
    assert {*SURVEY, *SURVEY_OTHERS} <= set(catalogue.models)
    assert len(catalogue.models["dolphin-2.6-mistral-7b"]) >= 6


def test_every_file_has_a_source(catalogue: Catalogue) -> None:
    """Nothing stands there without where it comes from; facts of shape and licence name theirs."""
    for spec in of_hub(catalogue):
        assert spec.source, spec.name
        assert not spec.geometry or spec.sources.get("geometry"), spec.name
        assert not spec.licence or spec.sources.get("licence"), spec.name


def test_no_digest_is_invented(catalogue: Catalogue, checked: dict[tuple[str, str], dict[str, str]]) -> None:
    """A digest, a length and a revision stand in the checked list for that very file, or in a cited source."""
    for spec in of_hub(catalogue):
        row = checked.get((spec.repo, spec.files[0]))
        cited = re.search(r"https?://|@[0-9a-f]{7,}", spec.source) is not None
        assert row is not None or cited, spec.name
        if row is None:
            continue
        if spec.sha256s:
            assert spec.sha256s == (row["sha256"],), spec.name
        if spec.sizes:
            assert spec.sizes == (int(row["bytes"]),), spec.name
        if spec.revision:
            assert spec.revision == row["revision"], spec.name


def test_every_checked_row_is_used(catalogue: Catalogue, checked: dict[tuple[str, str], dict[str, str]]) -> None:
    """As a file of an entry or as another publisher's; what the list knows of it stands there. One type is none of llama.cpp's."""
    specs = of_hub(catalogue)
    used = {(spec.repo, spec.files[0]): (spec.sha256s, spec.sizes, spec.revision) for spec in specs}
    for other in {other for spec in specs for other in spec.elsewhere}:
        sizes = (other.size_bytes,) if other.size_bytes else ()
        used[other.repo, other.file] = ((other.sha256,) if other.sha256 else (), sizes, other.revision)
    assert checked.keys() - used.keys() == {("microsoft/bitnet-b1.58-2B-4T-gguf", "ggml-model-i2_s.gguf")}
    for key in checked.keys() & used.keys():
        row = checked[key]
        known = (
            (row["sha256"],) if row["sha256"] else (),
            (int(row["bytes"]),) if row["bytes"] else (),
            row["revision"],
        )
        assert used[key] == known, key


def test_another_publishers_file_is_a_file_of_the_same_quantization(catalogue: Catalogue) -> None:
    """It stands beside the entry's own, with a source, and never is what the entry itself names."""
    found = [(spec, other) for spec in of_hub(catalogue) for other in spec.elsewhere]
    assert len({other for _, other in found}) == 10
    own = {(spec.repo, spec.files[0]) for spec in of_hub(catalogue)}
    for spec, other in found:
        assert quant_of(other.file) in catalogue.models[spec.alias]
        assert other.source
        assert (other.repo, other.file) not in own


def test_quantization_is_the_files_own(catalogue: Catalogue) -> None:
    """`alias@quant` names a file whose name states that quantization."""
    for spec in of_hub(catalogue):
        stated = quant_of(spec.files[0])
        assert stated in ("", spec.quant), spec.name


def test_licences(catalogue: Catalogue) -> None:
    """Nearly every entry shows a licence; those that forbid commercial use are flagged and say why."""
    specs = of_hub(catalogue)
    assert sum(not spec.licence for spec in specs) <= len(specs) // 20
    forbidden = {spec.alias for spec in specs if spec.commercial_use == "forbidden"}
    assert "qwen2.5-coder-3b" in forbidden


def test_starter_sets(catalogue: Catalogue) -> None:
    """Sets for 1 to 32 GB of free RAM, of known models."""
    assert sorted(catalogue.starter_sets) == [10**9 * size for size in (1, 2, 4, 8, 16, 32)]
    for names in catalogue.starter_sets.values():
        assert names
        assert set(names) <= set(catalogue.models)


def test_aliases_are_unambiguous(catalogue: Catalogue) -> None:
    """No second name hides a first one."""
    assert not set(catalogue.also) & set(catalogue.models)
    assert set(catalogue.also.values()) <= set(catalogue.models)


def test_user_file_is_merged(tmp_path: Path) -> None:
    """The user's file adds models and files, and replaces single facts; --models FILE lies over it."""
    user_file().parent.mkdir(parents=True)
    user_file().write_text(
        'models:\n  phi-2:\n    licence: "mine"\n    files:\n      q9_9: {path: "/x.gguf", source: "me"}\n'
        '  own:\n    files: {q4_0: {repo: "me/own", file: "own.gguf", source: "me"}}\n'
    )
    extra = tmp_path / "extra.yaml"
    extra.write_text('models:\n  own:\n    family: "late"\n    files: {q8_0: {path: "y.gguf", source: "me"}}\n')
    merged = load_catalogue(extra)
    assert merged.models["phi-2"]["q9_9"].licence == "mine"
    assert merged.models["phi-2"]["q4_k_m"].licence == "mine"
    assert set(merged.models["own"]) == {"q4_0", "q8_0"}
    assert merged.models["own"]["q4_0"].family == "late"


def test_cache_tells_the_same(tmp_path: Path) -> None:
    """The stored form of the registry equals the parsed one, and an edited file is parsed anew."""
    from cpu_codegen.models import catalogue as module

    module._load.cache_clear()
    parsed = load_catalogue()
    module._load.cache_clear()
    assert list((tmp_path / "xdg_cache_home").rglob("models/*.json"))
    assert load_catalogue() == parsed
    extra = tmp_path / "own.yaml"
    extra.write_text("models: {own: {files: {q4_0: {path: a.gguf, source: me}}}}")
    assert "own" in load_catalogue(extra).models
    extra.write_text("models: {other: {files: {q4_0: {path: a.gguf, source: me}}}}")
    assert "own" not in load_catalogue(extra).models


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "models:\n  a:\n    files: {q4_0: {path: x.gguf, source: me}}\n    licens: mit\n",
            4,
            "a.licens: no such field",
        ),
        ("models:\n  A:\n    files: {}\n", 3, "lower-case"),
        ("models:\n  a:\n    family: b\n", 3, "a: files is missing"),
        ("models:\n  a:\n    files:\n      q4_0: {file: x.gguf, source: me}\n", 4, "a.files.q4_0: repo is missing"),
        ("models:\n  a:\n    files:\n      q4_0: {path: x.gguf}\n", 4, "source is missing"),
        ("models:\n  a:\n    kind: clever\n", 3, "a.kind: 'clever' is none of"),
        ("models:\n  a:\n    parameters: many\n", 3, "a.parameters: expected a whole number"),
        (
            "models:\n  a:\n    repo: x/y\n    files:\n      q4_0: {file: ../x.gguf, source: me}\n",
            5,
            "a.files.q4_0.file",
        ),
        (
            "models:\n  a:\n    repo: x/y\n    files:\n      q4_0: {file: x.gguf, sha256: abc, source: me}\n",
            5,
            "sha256",
        ),
        ("models: [1]\n", 1, "models: expected fields"),
        ("schema: 7\n", 1, "schema 7"),
        ("models:\n  a: {\n", 3, "not YAML"),
        ("models:\n  a: {files: {}}\n  a: {files: {}}\n", 3, "stands twice"),
    ],
)
def test_complaints_give_line_and_field(tmp_path: Path, text: str, line: int, says: str) -> None:
    """A mistake in a user's file is named by file, line and field."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_catalogue(path)
    assert f"mine.yaml:{line}:" in str(caught.value)
    assert says in str(caught.value)
