"""What is told of an exception in a program."""

from __future__ import annotations


def describe(error: BaseException) -> list[str]:
    """[type name, message, missing module] of an exception; its own methods may be hostile."""
    kind = type(error)
    module = getattr(kind, "__module__", "?")  # type("E", (Exception,), {}) has none under EvalPlus's exec(code, {})
    name = kind.__name__ if module == "builtins" else f"{module}.{kind.__qualname__}"
    missing = ""
    try:
        message = str(error)[:500]
        if isinstance(error, ImportError) and isinstance(error.name, str):
            missing = error.name[:100]
    except BaseException:
        message = ""
    return [name[:100], message, missing]
