"""Suites of problems: our own 60 (`lowcost60`), `humaneval`, `humaneval+`, `mbpp+`. One file per suite, each → list[Problem]."""
