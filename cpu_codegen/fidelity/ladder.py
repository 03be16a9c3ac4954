"""Models → fidelity.jsonl, one line per model and problem; one model in memory at a time, the base first.

Resumable per problem: what is left is computed from the lines that are there. The base's log-probabilities lie in a folder beside
them while any other model needs them, 2 bytes × vocabulary × scored tokens; the disk is checked before, they are deleted after, and
after an error, too; only an interruption keeps them.
Not covered: the engine's side (scoring.py, engine/likelihood.py), figures and tables (steps.py, tables.py).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.compare_factors import family
from cpu_codegen.config import DEFAULT_CTX
from cpu_codegen.engine.llama import LlamaEngine
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.errors import IntegrityError, Interrupted, MachineError, UsageError
from cpu_codegen.fidelity.base import Rung, Rungs, gather
from cpu_codegen.fidelity.kept import base_bytes, base_path
from cpu_codegen.fidelity.scoring import scores, tokenized
from cpu_codegen.fidelity.texts import ScoredText, scored_text
from cpu_codegen.inputs import chat_template
from cpu_codegen.order import run_order, select
from cpu_codegen.progress import Progress
from cpu_codegen.run_names import RUNS, as_slug
from cpu_codegen.sizes import format_bytes
from cpu_codegen.store import RunFolder, digest
from cpu_codegen.suites.load import load_suite

DISK_SPARE_BYTES = 64 << 20
_DIGITS = 5  # significant, of each token's divergence in a line


@dataclass(frozen=True, slots=True)
class LadderConfig:
    """What is asked. `out` None = ./runs/ladder-<model>."""

    models: tuple[str, ...]
    base: str | None = None
    suites: tuple[str, ...] = ("lowcost60",)
    ids: tuple[str, ...] = ()
    limit: int | None = None
    prompt_format: str | None = None
    threads: int | None = None
    offline: bool = False
    models_file: str | None = None
    out: str | None = None


def climb(config: LadderConfig, *, progress: Progress) -> Path:
    """Scores whatever is missing and gives the folder back."""
    models_file = Path(config.models_file) if config.models_file else None
    rungs = gather(config.models, base=config.base, progress=progress, offline=config.offline, models_file=models_file)
    texts = _texts(config, rungs, progress)
    path = Path(config.out) if config.out else RUNS / f"ladder-{_slug(rungs.base)}"
    with RunFolder(path, writable=True) as folder:
        ladder = _Ladder(config, rungs, texts, folder, progress)
        try:
            ladder.climb()
        except (KeyboardInterrupt, Interrupted) as stop:
            raise ladder.interruption(stop) from None
        except BaseException:
            ladder.forget_base()
            raise
    return path


def _texts(config: LadderConfig, rungs: Rungs, progress: Progress) -> list[ScoredText]:
    """The texts in the run's order. The base's template serves all: another one would be another text."""
    template = chat_template(rungs.base.header, rungs.base.spec, config.prompt_format)
    for rung in rungs.others:
        theirs = chat_template(rung.header, rung.spec, config.prompt_format)
        if (theirs.text if theirs else "") != (template.text if template else ""):
            progress.say(f"{rung.name} brings another chat template; that of {rungs.base.name} is used for all")
    found: list[ScoredText] = []
    for name in config.suites:
        problems = select(
            run_order(load_suite(name, offline=config.offline), seed=0), ids=config.ids, limit=config.limit
        )
        texts = [text for problem in problems if (text := scored_text(problem, template)) is not None]
        if not texts:
            raise UsageError(
                f"{name} carries no reference solutions to score", remedy="-s lowcost60, humaneval+ or mbpp+"
            )
        found += texts
    return found


def _slug(base: Rung) -> str:
    return as_slug(family({"model": {"alias": base.file.alias, "name": base.name}}))


class _Ladder:
    """One session of work on one folder."""

    def __init__(
        self, config: LadderConfig, rungs: Rungs, texts: Sequence[ScoredText], folder: RunFolder, progress: Progress
    ) -> None:
        self._config, self._rungs, self._texts = config, rungs, texts
        self._folder, self._progress = folder, progress
        self._lines = folder.by_key("fidelity")
        self._kept = folder.path / f".base-{rungs.base.file.sha256[:12]}"

    def climb(self) -> None:
        """The base, then the others; at the end nothing of the base is kept."""
        self._base()
        for rung in self._rungs.others:
            self._other(rung)
        self.forget_base()

    def forget_base(self) -> None:
        """Deletes the base's log-probabilities: gigabytes that only an interrupted command goes on with."""
        shutil.rmtree(self._kept, ignore_errors=True)

    def interruption(self, stop: BaseException) -> Interrupted:
        """What the user is told."""
        wanted = len(self._texts) * (1 + len(self._rungs.others))
        done = sum(self._key(rung, text) in self._lines for rung in self._all() for text in self._texts)
        kept = sum(file.stat().st_size for file in self._kept.glob("*")) if self._kept.is_dir() else 0
        waits = f"; {format_bytes(kept)} of the base wait there" if kept else ""
        return Interrupted(
            f"interrupted: {done} of {wanted} scores kept in {self._folder.path}{waits}",
            remedy="the same command goes on",
            signal_number=stop.signal_number if isinstance(stop, Interrupted) else 2,
        )

    def _all(self) -> tuple[Rung, ...]:
        return (self._rungs.base, *self._rungs.others)

    def _key(self, rung: Rung, text: ScoredText) -> str:
        return digest("fidelity", self._rungs.base.file.sha256, rung.file.sha256, text.problem.id, text.hash)

    def _missing(self, rung: Rung) -> list[ScoredText]:
        return [text for text in self._texts if self._key(rung, text) not in self._lines]

    # ── the base ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _base(self) -> None:
        """Texts that the base has not scored, or whose log-probabilities another model still needs."""
        base = self._rungs.base
        needed = {text.hash for rung in self._rungs.others for text in self._missing(rung)}
        wanted = [text for text in self._texts if self._lacks(text, text.hash in needed)]
        self._progress.begin(base.quant or "base", len(self._texts), len(self._texts) - len(wanted))
        if not wanted:
            self._progress.end("nothing to do")
            return
        with self._engine(base) as engine:
            told = tokenized(engine, [self._item(text) for text in wanted])
            fit = self._fit(base, wanted, told["texts"])
            tokens = sum(told["texts"][self._item_key(text)]["scored"] for text in fit)
            self._require_disk(base_bytes(tokens, told["vocabulary"]))
            self._score(base, engine, fit, told)

    def _lacks(self, text: ScoredText, is_needed: bool) -> bool:
        line = self._lines.get(self._key(self._rungs.base, text))
        if line is None:
            return True
        size = base_bytes(line["tokens"], line["vocabulary"])
        path = base_path(self._kept, self._item_key(text))
        return is_needed and size > 0 and not (path.is_file() and path.stat().st_size == size)

    def _require_disk(self, needed: int) -> None:
        self._kept.mkdir(exist_ok=True)
        free = shutil.disk_usage(self._kept).free
        if needed + DISK_SPARE_BYTES > free:
            raise MachineError(
                f"the base's log-probabilities need {format_bytes(needed)} in {self._folder.path}, "
                f"{format_bytes(free)} are free",
                remedy="--limit N for fewer problems, or --out DIR on another disk",
            )

    # ── the others ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _other(self, rung: Rung) -> None:
        missing = [text for text in self._missing(rung) if self._base_line(text)["tokens"]]
        self._progress.begin(rung.quant or rung.name, len(self._texts), len(self._texts) - len(missing))
        if not missing:
            self._progress.end("nothing to do")
            return
        with self._engine(rung) as engine:
            told = tokenized(engine, [self._item(text) for text in missing])
            for text in missing:
                self._require_same_tokens(rung, text, told["texts"][self._item_key(text)])
            self._score(rung, engine, missing, told)

    def _base_line(self, text: ScoredText) -> dict[str, Any]:
        return self._lines[self._key(self._rungs.base, text)]

    def _require_same_tokens(self, rung: Rung, text: ScoredText, told: dict[str, Any]) -> None:
        if told["hash"] != self._base_line(text)["tokens_hash"]:
            raise IntegrityError(
                f"{rung.name} reads {text.problem.id} as other tokens than {self._rungs.base.name}: "
                "they cannot share a table",
                remedy=f"leave {rung.name} out, or take a newer conversion of it",
            )

    # ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _engine(self, rung: Rung) -> LlamaEngine:
        return LlamaEngine(
            EngineSettings(
                model_path=rung.file.path,
                model_sha256=rung.file.sha256,
                ctx_tokens=DEFAULT_CTX,
                threads=self._config.threads,
                parallel=1,
                log_path=str(self._folder.path / "llama.log"),
            )
        )

    def _item_key(self, text: ScoredText) -> str:
        """Names a text's log-probabilities of this base."""
        return self._key(self._rungs.base, text)

    def _item(self, text: ScoredText) -> dict[str, Any]:
        parts = {"before": text.before, "reference": text.reference, "after": text.after}
        return {"key": self._item_key(text), **parts, "add_special": text.add_special}

    def _fit(self, base: Rung, texts: Sequence[ScoredText], told: dict[str, Any]) -> list[ScoredText]:
        """Texts that can be scored; the others get a line that says why not, so that they are not tried again."""
        for text in texts:
            why = told[self._item_key(text)]["why"]
            if why and self._key(base, text) not in self._lines:
                self._progress.say(f"{text.problem.id} is left out: {why}")
                self._keep(self._line(base, text, vocabulary=0, told={"hash": "", "bytes": 0}, build="") | {"why": why})
        return [text for text in texts if not told[self._item_key(text)]["why"]]

    def _score(self, rung: Rung, engine: LlamaEngine, texts: Sequence[ScoredText], told: dict[str, Any]) -> None:
        """Appends a line for each text; the base may have one already and only lack its log-probabilities."""
        is_base, began, read = rung is self._rungs.base, time.monotonic(), 0
        by_key = {self._item_key(text): text for text in texts}
        items = [self._item(text) for text in texts]
        for found in scores(engine, items, self._kept, is_base=is_base):
            text, tokens = by_key[found["key"]], told["texts"][found["key"]]
            read += tokens["tokens"]
            self._progress.advance(f"{read / max(time.monotonic() - began, 1e-9):,.0f} tok/s")
            if self._key(rung, text) not in self._lines:
                line = self._line(rung, text, vocabulary=told["vocabulary"], told=tokens, build=engine.info.build)
                self._keep(line | _figures(found, tokens, is_base=is_base))
        self._progress.end()

    def _keep(self, line: dict[str, Any]) -> None:
        self._folder.append("fidelity", line)
        self._lines[line["key"]] = line

    def _line(
        self, rung: Rung, text: ScoredText, *, vocabulary: int, told: dict[str, Any], build: str
    ) -> dict[str, Any]:
        """All but the figures; every line says what it may share a table with."""
        return {
            "key": self._key(rung, text),
            "base": _named(self._rungs.base),
            "model": _named(rung),
            "suite": text.problem.suite,
            "problem_id": text.problem.id,
            "level": text.problem.level,
            "text_hash": text.hash,
            "tokens_hash": told["hash"],
            "vocabulary_hash": self._rungs.vocabulary_hash,
            "vocabulary": vocabulary,
            "build": build,
            "tokens": 0,
            "bytes": told["bytes"],
        }


def _named(rung: Rung) -> dict[str, Any]:
    file = rung.file
    return {
        "name": rung.name,
        "alias": file.alias,
        "quant": rung.quant,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
    }


def _figures(found: dict[str, Any], tokens: dict[str, Any], *, is_base: bool) -> dict[str, Any]:
    """The base's own divergence is 0 by definition: not measured, so null."""
    return {
        "tokens": tokens["scored"],
        "nll_nats": found["nll_nats"],
        "kl_nats": None if is_base else [float(f"{value:.{_DIGITS}g}") for value in found["kl_nats"]],
        "same_top": None if is_base else found["same_top"],
    }
