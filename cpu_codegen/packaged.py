"""Where the data that travels with the package lies: in the wheel first, else at the top level of a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


def models_yaml() -> Path:
    """The registry of models."""
    return _first(PACKAGE / "data" / "models.yaml", CHECKOUT / "models.yaml")


def problems_dir() -> Path:
    """Our 60 problems: easy/, medium/, hard/."""
    return _first(PACKAGE / "data" / "problems", CHECKOUT / "problems")


def wrong_answers_dir() -> Path | None:
    """Hand-made wrong answers to our problems, `<slug>/*.py`; they stay in a checkout."""
    path = CHECKOUT / "tests" / "wrong"
    return path if path.is_dir() else None


def demo_model() -> Path:
    """The GGUF of the demo; the same place in the wheel and in a checkout."""
    return PACKAGE / "data" / "demo.gguf"


def _first(*candidates: Path) -> Path:
    """The first that exists; else the last, whose absence the caller will report."""
    return next((path for path in candidates if path.exists()), candidates[-1])
