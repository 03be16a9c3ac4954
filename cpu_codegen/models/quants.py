"""`:quant` → the file of a repo that it means. Case does not matter; tokens are whole; more than one match is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set

from cpu_codegen.errors import UnavailableError, UsageError
from cpu_codegen.models.splits import is_later_part, split_parts

# files that stand beside a model in its repo and are none: projectors, multi-token heads, importance matrices; and drafts
_COMPANIONS = re.compile(r"(?<![a-z0-9])(mmproj|mtp|imatrix|vocab)(?![a-z0-9])", re.IGNORECASE)
_DRAFT = re.compile(r"(?<![a-z0-9])draft(?![a-z0-9])", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?<![a-z0-9])((?:ud-)?(?:i?q[1-8](?:_[a-z0-9]+)*|tq[12]_0|mxfp4(?:_moe)?|nvfp4|bf16|f16|f32|fp16|fp32))(?![a-z0-9])",
    re.IGNORECASE,
)


def models_among(files: Iterable[str]) -> list[str]:
    """The GGUFs that are models, split ones by their first part. Drafts are some where there is nothing else."""
    ggufs = sorted(file for file in files if file.lower().endswith(".gguf"))
    models = [file for file in ggufs if not _COMPANIONS.search(file) and not is_later_part(file)]
    return [file for file in models if not _DRAFT.search(file)] or models


def quant_of(file: str) -> str:
    """The quantization that a file's name states, in lower case; "" when it states none."""
    for part in reversed(file.rsplit("/", 1)):
        tokens = _TOKEN.findall(re.sub(r"-\d{5}-of-\d{5}\.gguf$|\.gguf$", "", part, flags=re.IGNORECASE))
        if tokens:
            return str(tokens[-1]).lower()
    return ""


def choose_file(repo: str, files: Iterable[str], quant: str) -> tuple[str, ...]:
    """The parts of the one file that `quant` means ("" = the only one, else q4_k_m). UsageError with the choices otherwise.

    UnavailableError for a split file of which a part is not there.
    """
    there = set(files)
    models = models_among(there)
    if not models:
        raise UsageError(f"{repo} holds no GGUF model", remedy="a repo with .gguf files, most end in -GGUF")
    wanted = quant.lower()
    if not wanted:
        wanted = "" if len(models) == 1 else "q4_k_m"
    matching = models if not wanted else [file for file in models if quant_of(file) == wanted]
    if len(matching) == 1:
        return _whole(repo, split_parts(matching[0]), there)
    choices = ", ".join(sorted({quant_of(file) or file for file in models}))
    if not matching:
        raise UsageError(f"{repo} has no {wanted}; it has: {choices}", remedy=f"hf:{repo}:QUANT with one of them")
    raise UsageError(
        f"{repo} has {len(matching)} files for {wanted}: {', '.join(matching)}",
        remedy=f"hf:{repo}@main/{matching[0]}, or another of them",
    )


def _whole(repo: str, parts: tuple[str, ...], there: Set[str]) -> tuple[str, ...]:
    missing = next((part for part in parts if part not in there), None)
    if missing is not None:
        raise UnavailableError(
            f"{missing} of {repo} is not there, and the model is not whole without",
            remedy=f"hf:{repo}:QUANT with another one",
        )
    return parts


def bits_of(quant: str) -> float | None:
    """Nominal bits per weight: q4_k_m → 4, iq3_xs → 3, mxfp4 → 4, bf16 → 16; None for a name that states none."""
    match = re.search(r"(?:i?q|tq|mxfp|nvfp|bf|fp|f)(\d{1,2})", quant.lower())
    return float(match[1]) if match else None
