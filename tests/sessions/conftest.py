"""What tests of sessions share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.sessions.streaming import Served, streaming


@pytest.fixture(autouse=True)
def switch_interval() -> Iterator[None]:
    """Threads take turns as often as in the server: here clients, too, share the interpreter."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def stream_server() -> Iterator[Served]:
    """A stream port with one small recording: 200 bins in 4 trials that aim at targets 0, 1, 2 and 0."""
    with streaming() as served:
        yield served
