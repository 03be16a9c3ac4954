"""The installed command in processes of its own, as tests/line has it."""

from tests.line.conftest import cpu_codegen, line_env, line_home

__all__ = ["cpu_codegen", "line_env", "line_home"]
