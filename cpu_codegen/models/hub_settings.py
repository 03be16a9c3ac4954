"""What the environment says of the hub: its address, the token, whether the network may be used.

Read at each call, not once at import as huggingface-hub does, so that one process may serve several endpoints.
"""

from __future__ import annotations

import os

from cpu_codegen.errors import UsageError


def is_offline() -> bool:
    """Whether the environment forbids the network."""
    return any(
        os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )


def endpoint() -> str | None:
    """A mirror's address, perhaps with a path. UsageError for one without a scheme."""
    given = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/")
    if given and not given.lower().startswith(("http://", "https://")):
        raise UsageError(f"HF_ENDPOINT={given} is no web address", remedy=f"HF_ENDPOINT=https://{given}")
    return given or None


def token() -> str | bool | None:
    """The environment's token, else the one that `hf auth login` stored. A newline behind it would break the request."""
    return os.environ.get("HF_TOKEN", "").strip() or None


def has_token() -> bool:
    """Whether requests bear a token: an expired one makes public repos look missing."""
    from huggingface_hub import get_token

    return bool(token() or get_token())
