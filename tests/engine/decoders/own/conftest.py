"""What tests of one's own decoders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.decoders import DECODERS
from engine.loading import OWN_DECODERS


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test makes known is forgotten."""
    monkeypatch.setenv(OWN_DECODERS, "")
    before = dict(DECODERS)
    yield
    for key in DECODERS.keys() - before.keys():
        del DECODERS[key]
