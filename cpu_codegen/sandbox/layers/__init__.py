"""Isolation layers, one file each. Every function acts on the calling process; none of them can be undone.

Not covered: which layers are chosen (tiers.py) and whether they hold (attacks.py).
"""
