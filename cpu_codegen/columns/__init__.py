"""The columns of a run: generate → execute → measure. Each yields records; pipeline.py appends them to the folder."""
