"""The caches' part of doctor: where models and our own notes lie, what we downloaded, and when this machine was calibrated."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from cpu_codegen.counts import count_of
from cpu_codegen.doctor.sections import Advice, Context, Section
from cpu_codegen.errors import IntegrityError
from cpu_codegen.models.caches import hub_cache, lm_studio_folders, ollama_stores
from cpu_codegen.models.layout import size_of
from cpu_codegen.models.ledger import Download, downloads
from cpu_codegen.places import cache_dir, config_dir, data_dir
from cpu_codegen.plan.calibration import Calibration, cached
from cpu_codegen.plan.words import ago
from cpu_codegen.sizes import format_bytes


def caches(context: Context) -> Section:
    """Models in other tools' caches are used in place; ours are downloads, digests and calibrations."""
    folders = {"hugging_face": [hub_cache()], "lm_studio": lm_studio_folders(), "ollama": ollama_stores()}
    own, known = cache_dir(), cached(context.machine)
    fetched, advice = _downloads()
    part_bytes = sum(size_of(Path(one.part)) for one in fetched if one.state != "whole")
    whole = [one for one in fetched if one.state == "whole"]
    whole_bytes = sum(one.size_bytes for one in whole)
    if part_bytes:
        advice += (
            Advice(f"{format_bytes(part_bytes)} of unfinished downloads", "cpu-codegen models pull MODEL, or rm"),
        )
    lines = (
        ", ".join(f"{name} {_shown(places)}" for name, places in zip(_NAMES, folders.values(), strict=True)),
        f"own {_shown([own])}; {count_of(len(whole), 'file')}, {format_bytes(whole_bytes)} downloaded",
        _calibrated(known),
    )
    facts = {
        **{name: [str(place) for place in places if place.is_dir()] for name, places in folders.items()},
        "cache": str(own),
        "data": str(data_dir()),
        "config": str(config_dir()),
        "downloads": len(whole),
        "downloaded_bytes": whole_bytes,
        "unfinished_bytes": part_bytes,
        "calibrated_unix": known.taken_unix if known else None,
        "calibrated_busy_cores": known.busy_cores if known else None,
        "calibrated_types": sorted(known.types) if known else [],
    }
    return Section("caches", lines, facts, advice)


_NAMES = ("Hugging Face", "LM Studio", "Ollama")


def _downloads() -> tuple[list[Download], tuple[Advice, ...]]:
    try:
        return downloads(), ()
    except IntegrityError as error:
        return [], (Advice(str(error), error.remedy or ""),)


def _shown(places: Sequence[Path]) -> str:
    return ", ".join(str(place) for place in places if place.is_dir()) or "absent"


def _calibrated(known: Calibration | None) -> str:
    """When the speeds that `plan` multiplies with were timed, and in what company."""
    if known is None or not known.types:
        return "not calibrated yet: the first plan does it (at most 20 s)"
    company = f", while {known.busy_cores:.1f} cores were busy with other programs" if known.is_crowded else ""
    types = count_of(len(known.types), "tensor type")
    return f"calibrated {ago(max(time.time() - known.taken_unix, 0))} ago, {types} timed{company}"
