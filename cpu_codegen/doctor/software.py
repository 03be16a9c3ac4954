"""Python, packages and the environment variables that change what we do."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from cpu_codegen.doctor.sections import Context, Section

_PACKAGES = ("cpu-codegen", "llama-cpp-python", "huggingface-hub", "numpy", "typer", "psutil")
_PREFIXES = (
    "CPU_CODEGEN_",
    "HF_",
    "HUGGINGFACE_",
    "HUGGING_FACE_",
    "GGML_",
    "LLAMA_",
    "OMP_",
    "KMP_",
    "GOMP_",
    "XDG_CACHE",
    "XDG_CONFIG",
    "XDG_DATA",
)
_EXACT = (
    "CMAKE_ARGS",
    "SOURCE_DATE_EPOCH",
    "TRANSFORMERS_OFFLINE",
    "OLLAMA_MODELS",
    "NO_COLOR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PYTHONOPTIMIZE",
)
_SECRET_WORDS = ("TOKEN", "KEY", "SECRET", "PASSWORD", "PROXY")


def python(context: Context) -> Section:
    """The interpreter and the packages that matter."""
    packages = {name: _version(name) for name in _PACKAGES}
    shown = ", ".join(f"{name} {found or 'absent'}" for name, found in packages.items())
    text = f"{platform.python_version()} at {sys.executable}; {shown}"
    facts = {"version": platform.python_version(), "executable": sys.executable, "packages": packages}
    return Section(
        "python", (text, f"{context.machine.os}, kernel {context.machine.kernel}"), {**facts, **_system(context)}
    )


def _system(context: Context) -> dict[str, str]:
    return {"os": context.machine.os, "kernel": context.machine.kernel}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def environment(_: Context) -> Section:
    """Variables in force; the values of what may be secret are not shown."""
    found = {name: _value(name) for name in sorted(os.environ) if name.startswith(_PREFIXES) or name in _EXACT}
    lines = tuple(f"{name}={value}" for name, value in found.items()) or ("no variable that we heed is set",)
    return Section("variables", lines, found)


def _value(name: str) -> str:
    value = os.environ[name]
    has_password = "://" in value and "@" in value
    return "(set)" if has_password or any(word in name.upper() for word in _SECRET_WORDS) else value
