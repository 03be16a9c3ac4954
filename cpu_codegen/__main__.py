"""`python -m cpu_codegen` is the command `cpu-codegen`."""

from __future__ import annotations

from cpu_codegen.cli import main

if __name__ == "__main__":
    main()
