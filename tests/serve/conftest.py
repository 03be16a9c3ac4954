"""The server that the tests of this folder talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.standin import StandIn, serving


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A server that behaves unless told otherwise."""
    with serving(StandIn()) as standin:
        yield standin
