"""What `-m` accepts: aliases, quantizations, names on the hub, paths, split files, other tools' caches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cpu_codegen.errors import IntegrityError, UnavailableError, UsageError
from cpu_codegen.models.caches import repo_folder
from cpu_codegen.models.quants import choose_file, models_among, quant_of
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.models.splits import split_parts
from cpu_codegen.registry import is_local, local_file, local_paths, resolve
from tests.models.support import COMMIT, Hub, sha256, tiny_gguf

REPO = "user/tiny-GGUF"


def test_alias() -> None:
    """An alias means its preferred quantization; a second name and capitals mean the same."""
    spec = resolve("qwen2.5-coder-1.5b")
    assert (spec.quant, spec.revision) == ("q4_k_m", "f86cb2c1fa58255f8052cc32aeede1b7482d4361")
    assert resolve("Qwen-Coder-1.5B") == spec
    assert resolve("qwen-coder-1.5b@Q8_0").files == ("qwen2.5-coder-1.5b-instruct-q8_0.gguf",)


def test_another_revision_of_a_known_file_is_another_file() -> None:
    """The registry's digest belongs to its own commit: repos are re-quantized in place."""
    known = resolve("qwen2.5-coder-1.5b")
    own, other = (resolve(f"hf:{known.repo}@{commit}/{known.files[0]}") for commit in (known.revision, "a" * 40))
    assert (own.sha256s, own.alias) == (known.sha256s, known.alias)
    assert (other.sha256s, other.alias, other.revision) == ((), "", "a" * 40)


def test_unknown_alias_names_the_near() -> None:
    """A misspelt alias is answered with the nearest ones."""
    with pytest.raises(UsageError, match=r"qwen2\.5-coder-1\.5b"):
        resolve("qwen2.5-coder-1.5")


@pytest.mark.parametrize(
    ("file", "quant"),
    [
        ("mistral-7b-instruct-v0.2.Q4_K_M.gguf", "q4_k_m"),
        ("google_gemma-3-1b-it-Q4_K_M.gguf", "q4_k_m"),
        ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "q4_k_m"),
        ("Qwen3-UD-Q4_K_XL.gguf", "ud-q4_k_xl"),
        ("gpt-oss-20b-mxfp4.gguf", "mxfp4"),
        ("Q4_K_M/model-00001-of-00002.gguf", "q4_k_m"),
        ("model-f16-00001-of-00002.gguf", "f16"),
        ("model-IQ3_XXS.gguf", "iq3_xxs"),
        ("ggml-model-bf16.gguf", "bf16"),
        ("Bonsai-8B-Q1_0.gguf", "q1_0"),
        ("phi-2.gguf", ""),
    ],
)
def test_quant_of(file: str, quant: str) -> None:
    """The publishers' ways to write a quantization are all read."""
    assert quant_of(file) == quant


def test_quant_is_token_bounded() -> None:
    """q4_k finds neither q4_k_m nor ud-q4_k: tokens are whole."""
    files = ["m-Q4_K_M.gguf", "m-UD-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-q4_0.gguf"]
    assert choose_file("u/m", files, "Q4_K_M") == ("m-Q4_K_M.gguf",)
    with pytest.raises(UsageError, match="has no q4_k"):
        choose_file("u/m", files, "q4_k")


def test_companions_are_no_models() -> None:
    """Projectors, draft and multi-token files, importance matrices and later parts are left out."""
    files = [
        "mmproj-model-f16.gguf",
        "mtp-model-Q4_K_M.gguf",
        "model-draft-Q4_K_M.gguf",
        "imatrix.gguf",
        "model-Q4_K_M.gguf",
        "b-Q8_0-00001-of-00002.gguf",
        "b-Q8_0-00002-of-00002.gguf",
        "README.md",
    ]
    assert models_among(files) == ["b-Q8_0-00001-of-00002.gguf", "model-Q4_K_M.gguf"]
    assert choose_file("u/m", files, "q8_0") == ("b-Q8_0-00001-of-00002.gguf", "b-Q8_0-00002-of-00002.gguf")


def test_companions_in_folders_and_repos_of_drafts() -> None:
    """A folder can say it, too; a repo that holds drafts alone is one of small models."""
    assert models_among(["MTP/model-Q4_K_M.gguf", "mmproj/model-f16.gguf", "model-Q8_0.gguf"]) == ["model-Q8_0.gguf"]
    drafts = ["model-0.5B-DRAFT-Q4_0.gguf", "model-0.5B-DRAFT-Q8_0.gguf", "mmproj-draft-f16.gguf"]
    assert choose_file("u/d", drafts, "q8_0") == ("model-0.5B-DRAFT-Q8_0.gguf",)


def test_ambiguity_is_refused() -> None:
    """Two files of one quantization: both are shown, none is taken."""
    files = ["dolphin-q5_k_m.gguf", "dolphin-v2-Q5_K_M.gguf"]
    with pytest.raises(UsageError, match=r"dolphin-q5_k_m.*dolphin-v2") as caught:
        choose_file("u/d", files, "q5_k_m")
    assert "hf:u/d@main/" in (caught.value.remedy or "")


def test_a_split_file_with_a_missing_part() -> None:
    """Half of a model is none: the part that lacks is named before anything is fetched."""
    parts = [f"big-q8_0-0000{n}-of-00003.gguf" for n in (1, 3)]
    with pytest.raises(UnavailableError, match=r"big-q8_0-00002-of-00003\.gguf of user/big is not there"):
        choose_file("user/big", parts, "q8_0")


def test_hub_quant(hub: Hub) -> None:
    """`hf:user/repo:QUANT` asks the hub which file that is."""
    for quant in ("Q4_K_M", "Q8_0"):
        hub.add(REPO, f"tiny-{quant}.gguf", tiny_gguf())
    assert resolve(f"hf:{REPO}:q8_0").files == ("tiny-Q8_0.gguf",)
    assert resolve(f"hf:{REPO}").files == ("tiny-Q4_K_M.gguf",)
    with pytest.raises(UsageError, match="it has: q4_k_m, q8_0"):
        resolve(f"hf:{REPO}:q2_k")


def test_hub_file_needs_no_network() -> None:
    """`hf:user/repo@rev/path.gguf` says all."""
    spec = resolve(f"hf:{REPO}@refs/pr/1/sub/tiny-Q8_0.gguf")
    assert (spec.repo, spec.revision, spec.files, spec.quant) == (REPO, "refs/pr/1", ("sub/tiny-Q8_0.gguf",), "q8_0")


def test_unlisted_quant_of_an_alias(hub: Hub) -> None:
    """A quantization that the registry lacks is looked for in the entry's repo, without the listed file's digest."""
    repo = resolve("qwen2.5-coder-1.5b").repo
    hub.add(repo, "qwen2.5-coder-1.5b-instruct-q5_0.gguf", tiny_gguf())
    spec = resolve("qwen2.5-coder-1.5b@q5_0")
    assert spec.files == ("qwen2.5-coder-1.5b-instruct-q5_0.gguf",)
    assert (spec.sha256s, spec.sizes, spec.licence) == ((), (), "apache-2.0")


def test_hub_name_of_a_listed_file_has_its_facts() -> None:
    """The registry's digest guards a file however it is named."""
    listed = resolve("qwen2.5-coder-1.5b")
    assert resolve(f"hf:{listed.repo}/{listed.files[0]}").sha256s == listed.sha256s


def test_another_publishers_file_has_the_models_facts() -> None:
    """The registry pins it however it is named; shape, licence and family are the model's."""
    listed, other = resolve("qwen3-8b"), resolve("hf:unsloth/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf")
    assert other.sha256s == ("120307ba529eb2439d6c430d94104dabd578497bc7bfe7e322b5d9933b449bd4",)
    assert other.sizes == (5027784512,)
    assert (other.repo, other.quant) == ("unsloth/Qwen3-8B-GGUF", "q4_k_m")
    assert (other.alias, other.geometry, other.licence) == (listed.alias, listed.geometry, listed.licence)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("https://huggingface.co/u/m-GGUF/blob/main/m-Q4_0.gguf", "-m hf:u/m-GGUF@main/m-Q4_0.gguf"),
        ("https://mirror.example/u/m/resolve/abc123/sub/m.gguf?download=true", "-m hf:u/m@abc123/sub/m.gguf"),
        ("u/m-GGUF:q4_0", "-m hf:u/m-GGUF:q4_0"),
    ],
)
def test_a_pasted_name_is_answered_with_the_right_one(name: str, remedy: str) -> None:
    """The address of a page, or the name that other tools take."""
    with pytest.raises(UsageError) as caught:
        resolve(name)
    assert (caught.value.remedy or "").startswith(remedy)


@pytest.mark.parametrize(
    "name",
    [
        "hf:",
        "hf:user",
        "hf:a/b/c",
        "hf:../x:q4_0",
        "hf:a/b:q4 0",
        "hf:a/../b.gguf",
        "hf:a/b@../m.gguf",
        "hf:a/b@x..y/m.gguf",
    ],
)
def test_bad_hub_names(name: str) -> None:
    """A name that is none is refused with the right form."""
    with pytest.raises(UsageError, match=r"name on the hub|no model"):
        resolve(name, offline=True)


def test_path(tmp_path: Path) -> None:
    """A path is taken as it is; its digest is computed once."""
    file = tmp_path / "My-Q8_0.gguf"
    file.write_bytes(tiny_gguf())
    spec = resolve(str(file))
    model = local_file(spec)
    assert (spec.quant, model.sha256, model.path) == ("q8_0", sha256(tiny_gguf()), str(file))
    with pytest.raises(UnavailableError, match="no file"):
        local_file(resolve(str(tmp_path / "absent.gguf")))


def test_split_path(tmp_path: Path) -> None:
    """The first part stands for all; a later part is refused and the first one named; a missing part is missed."""
    parts = split_parts(str(tmp_path / "m-00001-of-00002.gguf"))
    Path(parts[0]).write_bytes(tiny_gguf())
    spec = resolve(parts[0])
    assert spec.paths == parts
    assert not is_local(spec)
    with pytest.raises(UsageError, match="later part"):
        resolve(parts[1])
    Path(parts[1]).write_bytes(tiny_gguf(fill=1.0))
    assert local_file(spec).size_bytes == 2 * len(tiny_gguf())


def test_parts_come_from_one_folder() -> None:
    """llama.cpp looks for parts beside the first: one here and one there are no model, and the missing one is named."""
    parts = ["big-q8_0-00001-of-00002.gguf", "big-q8_0-00002-of-00002.gguf"]
    folders = [repo_folder(REPO) / "snapshots" / commit for commit in ("1" * 40, "2" * 40)]
    for folder, part in zip(folders, parts, strict=True):
        folder.mkdir(parents=True)
        (folder / part).write_bytes(tiny_gguf(fill=len(part)))
    spec = resolve(f"hf:{REPO}/{parts[0]}", offline=True)
    assert not is_local(spec)
    with pytest.raises(UnavailableError, match="part 2 of 2"):
        local_file(spec)
    (folders[0] / parts[1]).write_bytes(tiny_gguf())
    assert {path.parent for path in local_paths(spec)} == {folders[0]}


def test_parts_are_right_together() -> None:
    """Of two pinned copies, each with one rotten part, neither is taken: the whole copy is right or it is none."""
    good, rot = [tiny_gguf(fill=1.0), tiny_gguf(fill=2.0)], tiny_gguf(fill=9.0)
    parts = ("big-q8_0-00001-of-00002.gguf", "big-q8_0-00002-of-00002.gguf")
    spec = ModelSpec("big", repo=REPO, files=parts, sha256s=(sha256(good[0]), sha256(good[1])))
    for commit, contents in (("1" * 40, (good[0], rot)), ("2" * 40, (rot, good[1]))):
        folder = repo_folder(REPO) / "snapshots" / commit
        folder.mkdir(parents=True)
        for name, content in zip(parts, contents, strict=True):
            (folder / name).write_bytes(content)
    with pytest.raises(IntegrityError, match="is not the file"):
        local_file(spec)
    (folder / parts[0]).write_bytes(good[0])
    assert local_file(spec).path == str(folder / parts[0])


def test_a_branch_cannot_lead_out_of_the_cache(tmp_path: Path) -> None:
    """A reference in a shared cache that names a path is no commit: nothing is looked for there."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/tiny-Q4_K_M.gguf").write_bytes(tiny_gguf())
    reference = repo_folder(REPO) / "refs/main"
    reference.parent.mkdir(parents=True)
    (repo_folder(REPO) / "snapshots").mkdir()
    reference.write_text("../" * 5 + "elsewhere")
    assert not is_local(resolve(f"hf:{REPO}/tiny-Q4_K_M.gguf", offline=True))


def test_changed_file_gets_a_new_digest(tmp_path: Path) -> None:
    """The remembered digest belongs to size and time of a file: a rewritten one is read again."""
    file = tmp_path / "m.gguf"
    file.write_bytes(tiny_gguf())
    first = local_file(resolve(str(file))).sha256
    file.write_bytes(tiny_gguf(fill=2.0))
    assert local_file(resolve(str(file))).sha256 != first


def test_hugging_face_cache_is_used_in_place(tmp_path: Path) -> None:
    """A file that huggingface-hub downloaded is found offline, and not copied."""
    file = repo_folder(REPO) / "snapshots" / COMMIT / "tiny-Q4_K_M.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(tiny_gguf())
    spec = resolve(f"hf:{REPO}:q4_k_m", offline=True)
    assert local_paths(spec) == [file]


def test_lm_studio_cache_is_used_in_place() -> None:
    """So is LM Studio's."""
    file = Path.home() / ".lmstudio/models" / REPO / "tiny-Q4_K_M.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(tiny_gguf())
    assert local_paths(resolve(f"hf:{REPO}:q4_k_m", offline=True)) == [file]


def test_lm_studio_that_was_moved(tmp_path: Path) -> None:
    """Its pointer file names its home, and its settings the folder of models on another disk; nonsense there is passed over."""
    lm_home, disk = tmp_path / "apps/lm", tmp_path / "disk"
    (lm_home / "models").mkdir(parents=True)
    Path.home().mkdir(parents=True)
    (Path.home() / ".lmstudio-home-pointer").write_text(f"{lm_home}\n")
    (lm_home / "settings.json").write_text(json.dumps({"downloadsFolder": str(disk)}))
    for base in (disk, lm_home / "models"):
        file = base / REPO / f"tiny-{base.name}-Q4_K_M.gguf"
        file.parent.mkdir(parents=True)
        file.write_bytes(tiny_gguf())
        assert local_paths(resolve(f"hf:{REPO}/{file.name}", offline=True)) == [file]


@pytest.mark.parametrize(
    "settings", ["", "[]", "{", '{"downloadsFolder": 3}', '{"downloadsFolder": "here"}', "[" * 100_000]
)
def test_lm_studio_settings_that_make_no_sense(settings: str) -> None:
    """Its usual folder is looked into all the same."""
    file = Path.home() / ".lmstudio/models" / REPO / "tiny-Q4_K_M.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(tiny_gguf())
    (Path.home() / ".lmstudio/settings.json").write_text(settings)
    assert is_local(resolve(f"hf:{REPO}:q4_k_m", offline=True))


def test_another_files_copy_is_refused(tmp_path: Path) -> None:
    """A copy of the right name and length and the wrong bytes is not taken for a pinned model."""
    registry = tmp_path / "mine.yaml"
    registry.write_text(
        f"models:\n  mine:\n    repo: {REPO}\n    files:\n      q4_k_m:\n        file: tiny-Q4_K_M.gguf\n"
        f'        bytes: {len(tiny_gguf())}\n        sha256: "{sha256(tiny_gguf())}"\n        source: me\n'
    )
    file = Path.home() / ".lmstudio/models" / REPO / "tiny-Q4_K_M.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(tiny_gguf(fill=3.0))
    with pytest.raises(IntegrityError, match="is not the file"):
        local_file(resolve("mine", models_file=registry))
    file.write_bytes(tiny_gguf())
    assert local_file(resolve("mine", models_file=registry)).sha256 == sha256(tiny_gguf())


def test_ollama_store(tmp_path: Path) -> None:
    """`ollama:name:tag` is the blob that Ollama's manifest names; a pinned digest finds it under any name."""
    digest = sha256(tiny_gguf())
    store = tmp_path / "ollama"
    manifest = store / "manifests/registry.ollama.ai/library/tiny/1b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [{"mediaType": "text", "digest": "sha256:0"}, layer]}))
    (store / "blobs").mkdir()
    (store / "blobs" / f"sha256-{digest}").write_bytes(tiny_gguf())
    assert local_file(resolve("ollama:tiny:1b")).sha256 == digest
    from_hub = store / "manifests/hf.co/user/Tiny-GGUF/Q8_0"
    from_hub.parent.mkdir(parents=True)
    from_hub.write_text(manifest.read_text())
    assert resolve("ollama:hf.co/user/Tiny-GGUF:Q8_0").sha256s == (digest,)
    for other in ("other", "", "*", "a**", "../../x", "/etc/passwd", "a:../x", "tiny:[0-9]b"):
        with pytest.raises(UnavailableError, match="Ollama has no"):
            resolve(f"ollama:{other}")


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"layers": 1}', '{"layers": [{"mediaType": 1, "digest": 2}]}']
)
def test_damaged_ollama_manifest(tmp_path: Path, text: str) -> None:
    """A manifest that makes no sense names no model."""
    manifest = tmp_path / "ollama/manifests/registry.ollama.ai/library/tiny/1b"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(text)
    with pytest.raises(UnavailableError, match="Ollama has no"):
        resolve("ollama:tiny:1b")


def test_ollama_manifest_that_lies(tmp_path: Path) -> None:
    """A blob that is not what its name says is refused: its digest is computed, not believed."""
    store, digest = tmp_path / "ollama", sha256(tiny_gguf())
    manifest = store / "manifests/registry.ollama.ai/library/tiny/1b"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    (store / "blobs").mkdir()
    (store / "blobs" / f"sha256-{digest}").write_bytes(tiny_gguf(fill=7.0))
    with pytest.raises(IntegrityError, match="is not the file"):
        local_file(resolve("ollama:tiny:1b"))


def test_offline_looks_only_here() -> None:
    """Offline, a quantization that is not here is an error with a way out."""
    with pytest.raises(UnavailableError, match="offline"):
        resolve(f"hf:{REPO}:q4_k_m", offline=True)
