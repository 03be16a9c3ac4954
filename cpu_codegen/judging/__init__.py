"""The rules of judging, one file per kind of task. Runs inside the checker's sandbox, where candidate code never runs."""
