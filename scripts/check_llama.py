"""Imports llama.cpp and decodes one token of the demo model; run in a child, because a wrong build dies by a signal."""

from __future__ import annotations

import sys

import llama_cpp

from cpu_codegen.packaged import demo_model


def main() -> int:
    """0 = works."""
    silent = llama_cpp.llama_log_callback(_drop)  # kept alive: C calls it until the end
    llama_cpp.llama_log_set(silent, None)
    model = llama_cpp.llama_model_load_from_file(str(demo_model()).encode(), llama_cpp.llama_model_default_params())
    if not model:
        return 1
    context = llama_cpp.llama_init_from_model(model, llama_cpp.llama_context_default_params())
    token = (llama_cpp.llama_token * 1)(1)
    code = llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(token, 1))
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return int(code)


def _drop(level: int, text: bytes, data: object) -> None:
    """Drops llama.cpp's log."""


if __name__ == "__main__":
    sys.exit(main())
