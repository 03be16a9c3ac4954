"""Runs out and in: files of EvalPlus, human-eval and lm-evaluation-harness, tables, a leaderboard entry, an artifact.

Nothing here sends anything anywhere.
"""
