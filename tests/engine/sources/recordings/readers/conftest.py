"""What tests of readers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import forking


@pytest.fixture(scope="module")
def forks() -> Iterator[forking.Forks]:
    """Runs programs as if each were alone: none finds what another has done."""
    with forking.forks("engine.sources.recordings.readers.nwb") as made:
        yield made
