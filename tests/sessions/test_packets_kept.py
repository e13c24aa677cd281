"""Same file, seed and settings: the packets that were sent when `packets_kept.json` was written."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.sessions.packets_kept import KEPT, LAYOUTS, deck, play
from tests.sessions.streaming import Served, streaming


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with streaming(deck()) as served:
        yield served


@pytest.mark.parametrize("layout", LAYOUTS)
def test_packets_are_what_they_were(served: Served, layout: str) -> None:
    kept = json.loads(KEPT.read_text())
    digest, floats = play(served, layout)
    np.testing.assert_allclose(floats, kept["floats"], rtol=1e-5, atol=1e-3)
    assert digest == kept["digests"][layout]
