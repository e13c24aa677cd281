"""What tests of the commands share."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def sockets_that_were_given_up() -> Iterator[None]:
    """Collect here what Tornado's clients left: elsewhere their process ends, and here it goes on.

    What was there before the test is put aside: to look through all of it takes a quarter of a second.
    """
    gc.freeze()
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.unfreeze()
