"""Opens a run folder for one session of work: finds or makes it, refuses other settings, keeps the manifest true.

A run may take several sessions (interrupted, resumed, scope grown). Scope may grow; another value of a setting on an old folder is
refused; session options are free and recorded per session.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cpu_codegen import __version__
from cpu_codegen.config import LATER_SETTINGS, RunConfig
from cpu_codegen.config_file import config_record
from cpu_codegen.counts import count_of
from cpu_codegen.deadline import Deadline
from cpu_codegen.errors import CpuCodegenError, IntegrityError, Interrupted
from cpu_codegen.inputs import RunInputs, Sample
from cpu_codegen.progress import Progress
from cpu_codegen.run_names import as_slug, list_runs, new_run_path, now_utc
from cpu_codegen.schema import SCHEMA_VERSION
from cpu_codegen.store import MANIFEST, RunFolder, plain


@dataclass(slots=True)
class Session:
    """One session of work on one run folder. `facts` of this session (width, load time …) end up in the manifest.

    `unfinished` holds, by key, the samples that were begun and that the deadline cut off: they stay in n as unknown.
    """

    folder: RunFolder
    config: RunConfig
    manifest: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    deadline: Deadline | None = None
    unfinished: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, **facts: Any) -> None:
        """Adds facts to this session's entry and writes the manifest."""
        self.facts.update(plain(facts))
        self.folder.write_manifest(self.manifest)

    def note_run(self, **facts: Any) -> None:
        """Adds facts that hold for the whole run (engine, isolation) and writes the manifest."""
        self.manifest.update(plain(facts))
        self.folder.write_manifest(self.manifest)

    def end(self, status: str) -> None:
        """Writes the final status; the last thing that a session does."""
        self.facts["ended_utc"] = now_utc()
        self.manifest.pop("unfinished", None)
        if self.unfinished:
            done = {record["key"] for record in self.folder.read("generations")}
            self.manifest["unfinished"] = [entry for key, entry in self.unfinished.items() if key not in done]
        self.manifest["status"] = status
        self.folder.write_manifest(self.manifest)

    @contextmanager
    def kept(self, samples: Collection[Sample]) -> Iterator[None]:
        """Work inside may be interrupted or fail: the status is written; an interruption says how many of `samples` are kept."""
        try:
            yield
        except (KeyboardInterrupt, Interrupted) as stop:
            self.end("interrupted")
            raise self.interruption(stop, samples) from None
        except BaseException:
            with suppress(CpuCodegenError):  # what went wrong first is what is told
                self.end("interrupted")
            raise

    def interruption(self, stop: BaseException, samples: Collection[Sample]) -> Interrupted:
        """What the user is told: how many answers are kept, and that the same command goes on."""
        wanted = {sample.key for sample in samples}
        kept = sum(record["key"] in wanted for record in self.folder.read("generations"))
        number = stop.signal_number if isinstance(stop, Interrupted) else int(signal.SIGINT)
        message = f"interrupted: {kept} of {count_of(len(wanted), 'answer')} kept in {self.folder.path}"
        return Interrupted(message, remedy="the same command goes on", signal_number=number)


@contextmanager
def open_run(
    config: RunConfig,
    inputs: RunInputs,
    *,
    argv: Sequence[str],
    progress: Progress,
    deadline: Deadline | None = None,
) -> Iterator[Session]:
    """The folder of this run, locked, with its manifest brought up to date."""
    path = choose_folder(config, inputs)
    with RunFolder(path, writable=True) as folder:
        if folder.has_manifest:
            manifest = folder.manifest()
            refuse_other_settings(path, manifest, inputs)
            progress.say(f"going on in {path}")
        else:
            manifest = new_manifest(inputs)
        grow_scope(manifest, config, inputs)
        facts: dict[str, Any] = {"started_utc": now_utc(), "argv": list(argv), "options": session_options(config)}
        if deadline is not None:
            facts["deadline_s"] = round(deadline.left_s(), 1)
        manifest["sessions"].append(facts)
        manifest["status"] = "running"
        folder.write_manifest(manifest)
        write_prompts(folder, inputs)
        unfinished = {entry["key"]: entry for entry in manifest.get("unfinished", [])}
        yield Session(folder, config, manifest, facts, deadline, unfinished)


def choose_folder(config: RunConfig, inputs: RunInputs) -> Path:
    """--out, else the newest unfinished folder with the same settings and model, else a new one."""
    if config.out is not None:
        return Path(config.out)
    if not config.new:
        for path in reversed(list_runs()):
            if _may_go_on(path, inputs):
                return path
    return new_run_path(slug(inputs))


def _may_go_on(path: Path, inputs: RunInputs) -> bool:
    """A damaged folder does not: who names it is told why."""
    try:
        manifest = RunFolder(path).manifest() if (path / MANIFEST).is_file() else {}
        unfinished = manifest.get("status") in ("running", "interrupted", "partial")
        return unfinished and not differences(manifest, inputs) and not changed_statements(path, inputs)
    except (CpuCodegenError, LookupError, TypeError, AttributeError):
        return False


def slug(inputs: RunInputs) -> str:
    """`<alias>-<quant>` or the file's stem, lower case."""
    model = inputs.model
    return as_slug(
        f"{model.alias}-{model.quant}" if model.alias and model.quant else model.alias or Path(model.path).stem
    )


def differences(manifest: dict[str, Any], inputs: RunInputs) -> list[str]:
    """What an old folder holds otherwise: model digest, settings, the rule of verdicts, prompt texts, template."""
    found: list[str] = []
    if manifest.get("model", {}).get("sha256") != inputs.model.sha256:
        before, now = manifest.get("model", {}).get("name"), inputs.model.name
        found.append(f"model {before}, now {now}" if before != now else f"what {_known_by(inputs)} {now}")
    old, new = {**LATER_SETTINGS, **manifest.get("settings", {})}, {**LATER_SETTINGS, **plain(inputs.settings)}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            found += [f"{part} {before.get(part)}, now {now}" for part, now in value.items() if before.get(part) != now]
        elif before != value:
            found.append(f"{name} {before}, now {value}")
    judging = manifest.get("judging", {})
    found += [f"{n} {judging[n]}, now {v}" for n, v in inputs.judging.items() if n in judging and judging[n] != v]
    for text in inputs.prompt_texts:
        before = manifest.get("prompts", {}).get(text.style)
        if before and before["sha256"] != text.sha256:
            found.append(f"the prompt text of style {text.style}")
    if manifest.get("template_hash") != template_hash(inputs):
        found.append("the chat template")
    asked = {problem for ids in inputs.order.values() for problem in ids}
    for name, facts in manifest.get("suites", {}).items():
        if name not in inputs.order and asked & set(facts.get("order", [])):
            found.append(f"suite {name}, which holds the same problems")  # and so the same keys
    return found


def _known_by(inputs: RunInputs) -> str:
    return "the server tells of itself and of" if inputs.served else "the file holds that is named"


def refuse_other_settings(path: Path, manifest: dict[str, Any], inputs: RunInputs) -> None:
    """Raises IntegrityError (exit 6) when the folder was made with other settings."""
    found = differences(manifest, inputs)
    if found:
        raise IntegrityError(
            f"{path} was made with other settings ({'; '.join(found)})",
            remedy="--out another/folder, or the settings of the first run",
        )
    changed = changed_statements(path, inputs)
    if changed:
        raise IntegrityError(
            f"{path} holds answers to another statement of {', '.join(changed[:3])}{' …' * (len(changed) > 3)}",
            remedy="--out another/folder, or the statement as it was (cases may change at any time)",
        )


def changed_statements(path: Path, inputs: RunInputs) -> list[str]:
    """Problems that the folder knows by another prompt of the same style: with equal prompt texts, another statement."""
    known: dict[tuple[str, str], set[str]] = {}
    for record in RunFolder(path).read("prompts"):
        known.setdefault((record["problem_id"], record["style"]), set()).add(record["hash"])
    prompts = (sample.prompt for sample in inputs.samples)
    found = [p.problem_id for p in prompts if p.hash not in known.get((p.problem_id, p.style), {p.hash})]
    return list(dict.fromkeys(found))


def template_hash(inputs: RunInputs) -> str:
    """The hash of the chat template that all prompts of the run share ("" = none)."""
    from cpu_codegen.prompts.styles import sha256_text

    return sha256_text(inputs.template.text) if inputs.template else ""


def new_manifest(inputs: RunInputs) -> dict[str, Any]:
    """What holds for the whole run."""
    from cpu_codegen.machine import fingerprint

    return {
        "schema": SCHEMA_VERSION,
        "status": "running",
        "created_utc": now_utc(),
        "cpu_codegen": __version__,
        "model": plain(inputs.model),
        "settings": plain(inputs.settings),
        "template_hash": template_hash(inputs),
        "template_source": inputs.template.source if inputs.template else "none (completion prompts)",
        "machine": plain(fingerprint()),
        "versions": package_versions(),
        "prompts": {},
        "suites": {},
        "sessions": [],
        **({"served": inputs.served} if inputs.served else {}),
    }


def grow_scope(manifest: dict[str, Any], config: RunConfig, inputs: RunInputs) -> None:
    """Adds suites, styles and problems that this session asks for to what the folder holds already."""
    for text in inputs.prompt_texts:
        manifest["prompts"][text.style] = {
            "version": text.version,
            "sha256": text.sha256,
            "completion": text.is_completion,
        }
    for name, ids in inputs.order.items():
        manifest["suites"].setdefault(name, {"order": ids, "order_seed": config.settings.seed})
        manifest["suites"][name] |= {"hash": inputs.suite_hashes[name], **inputs.own_suites.get(name, {})}
    scope = manifest.setdefault("scope", {"problems": [], "styles": [], "n": 0})
    scope["problems"] = list(dict.fromkeys([*scope["problems"], *(p.id for p in inputs.problems)]))
    scope["styles"] = list(dict.fromkeys([*scope["styles"], *config.styles]))
    scope["n"] = max(scope["n"], config.samples_per_problem)
    manifest["judging"] = inputs.judging
    manifest["thinking"] = plain(inputs.thinking.record())
    manifest["config"] = config_record(config)


def session_options(config: RunConfig) -> dict[str, Any]:
    """The free options, recorded per session."""
    names = (
        "threads",
        "parallel",
        "draft",
        "workers",
        "efficiency_budget_s",
        "offline",
        "allow_weak_isolation",
        "keep_going",
        "require",
        "stability",
        "engine_url",
        "force",
        "mmap",
        "mlock",
        "max_ram_bytes",
        "reuse",
    )
    return {name: getattr(config, name) for name in names}


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that touch results."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for package in ("llama-cpp-python", "huggingface-hub", "numpy", "psutil", "radon", "jinja2"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_prompts(folder: RunFolder, inputs: RunInputs) -> None:
    """Each rendered prompt once, by hash."""
    known = {(record["problem_id"], record["style"], record["hash"]) for record in folder.read("prompts")}
    for sample in inputs.samples:
        prompt = sample.prompt
        identity = (prompt.problem_id, prompt.style, prompt.hash)
        if identity not in known:
            known.add(identity)
            folder.append("prompts", prompt)
