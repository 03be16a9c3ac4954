"""The registry of models and what lies behind it: names, the YAML, the hub, caches, digests, the ledger.

registry.py and download.py are this room's doors; they alone are called from outside, together with actions.py (the logic of
`cpu-codegen models …`).
"""
