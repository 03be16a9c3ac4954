"""What two runs differ in, and whether they may be compared: like with like, one factor at a time.

Of two runs the model (quantization included) is the factor; with the same model exactly one differing setting is. More
differences, or another machine, need `--across`, and then stand beside the figures. Session options (threads, width, budgets …)
never count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.config import LATER_SETTINGS
from cpu_codegen.errors import UsageError

Manifest = dict[str, Any]
_OF_THE_MODEL = frozenset(
    ("ctx_tokens",)
)  # follows from the model where models differ, and from --think where that does
_QUANT = re.compile(r"[-._]?((?:I?Q\d(?:_\w+)*?|BF16|F16|F32|MXFP4\w*))(?=[-.]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two runs differ in."""

    name: str
    baseline: str
    other: str

    def __str__(self) -> str:
        return f"{self.name}: {self.baseline} v {self.other}"


def differences(baseline: Manifest, other: Manifest, styles: Sequence[tuple[str, str]]) -> list[Difference]:
    """All differences that count, the model first, the machine last. `styles` are the styles that are paired."""
    found = [*_model(baseline, other), *_settings(baseline, other), *_texts(baseline, other, styles)]
    return [*found, *_suites(baseline, other), *_machine(baseline, other)]


def _model(baseline: Manifest, other: Manifest) -> Iterator[Difference]:
    if baseline["model"]["sha256"] != other["model"]["sha256"]:
        yield Difference("model", model_name(baseline), model_name(other))


def _settings(baseline: Manifest, other: Manifest) -> Iterator[Difference]:
    same_model = baseline["model"]["sha256"] == other["model"]["sha256"]
    first, second = _asked(baseline), _asked(other)
    same_context = same_model and first.get("think") == second.get("think")
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name) and (same_context or name not in _OF_THE_MODEL):
            yield Difference(name, str(first.get(name)), str(second.get(name)))
    if same_model and baseline.get("template_hash") != other.get("template_hash"):
        yield Difference("chat template", *(str(m.get("template_hash", ""))[:8] for m in (baseline, other)))


def _asked(manifest: Manifest) -> dict[str, Any]:
    """All settings, those that a folder does not name with what it stands for."""
    return {**LATER_SETTINGS, **_flat({**manifest.get("settings", {}), **manifest.get("judging", {})})}


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def _texts(baseline: Manifest, other: Manifest, styles: Sequence[tuple[str, str]]) -> Iterator[Difference]:
    """Prompt styles and texts. That one model takes chats and the other completions follows from the model."""
    for first, second in styles:
        mine, theirs = baseline.get("prompts", {}).get(first, {}), other.get("prompts", {}).get(second, {})
        if first != second:
            yield Difference("style", first, second)
        elif mine.get("completion") == theirs.get("completion") and mine.get("sha256") != theirs.get("sha256"):
            yield Difference(f"prompt text of {first}", str(mine.get("version")), str(theirs.get("version")))


def _suites(baseline: Manifest, other: Manifest) -> Iterator[Difference]:
    for name in sorted(baseline.get("suites", {}).keys() & other.get("suites", {}).keys()):
        hashes = [str(manifest["suites"][name].get("hash", ""))[:8] for manifest in (baseline, other)]
        if hashes[0] != hashes[1]:
            yield Difference(f"problems of {name}", *hashes)


def _machine(baseline: Manifest, other: Manifest) -> Iterator[Difference]:
    first, second = baseline.get("machine", {}), other.get("machine", {})
    if first.get("id") != second.get("id"):
        yield Difference("machine", str(first.get("cpu", "unknown")), str(second.get("cpu", "unknown")))


def beside(baseline: Manifest, other: Manifest) -> list[Difference]:
    """What should change no text and may do so all the same: kernels sum in another order. Never a factor, but named."""
    found = []
    for name, values in (
        ("width", [_of_sessions(manifest, "width") for manifest in (baseline, other)]),
        ("threads", [_of_sessions(manifest, "threads") for manifest in (baseline, other)]),
        ("llama.cpp", [_of_engine(manifest, "build") for manifest in (baseline, other)]),
        ("CPU features", [_of_engine(manifest, "cpu_flags") for manifest in (baseline, other)]),
        ("guessing", [_of_engine(manifest, "speculation") for manifest in (baseline, other)]),
    ):
        if values[0] != values[1] and all(values):
            found.append(Difference(name, *values))
    return found


def _of_sessions(manifest: Manifest, name: str) -> str:
    """All values that the sessions of a run had, "" where none says."""
    return ", ".join(map(str, sorted({session[name] for session in manifest.get("sessions", []) if session.get(name)})))


def _of_engine(manifest: Manifest, name: str) -> str:
    return str(manifest.get("engine", {}).get(name) or "")


def require_comparable(found: Sequence[Difference], *, across: bool) -> None:
    """UsageError when there is more than one factor, or another machine, and --across was not given."""
    if across or (len(found) <= 1 and all(difference.name != "machine" for difference in found)):
        return
    listed = "; ".join(map(str, found))
    raise UsageError(
        f"these runs differ in more than one thing ({listed})", remedy="--across compares them nevertheless"
    )


def model_name(manifest: Manifest) -> str:
    """Alias and quantization where known, else the file's name."""
    model = manifest.get("model", {})
    return f"{model['alias']}@{model['quant']}" if model.get("alias") and model.get("quant") else str(model.get("name"))


def family(manifest: Manifest) -> str:
    """What the quantizations of one model have in common: its alias, else the file's name without the quantization."""
    model = manifest.get("model", {})
    name = str(model.get("alias") or model.get("name"))
    return _QUANT.sub("", name.removesuffix(".gguf")).lower()


def quantization(manifest: Manifest) -> str:
    """The quantization as the manifest or the file's name says it, "" where neither does."""
    model = manifest.get("model", {})
    found = _QUANT.findall(str(model.get("name", "")).removesuffix(".gguf"))
    return str(model.get("quant") or (found[-1] if found else "")).upper()
