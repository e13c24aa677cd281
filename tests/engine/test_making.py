"""What is made in a process: all who ask for what has failed hear why, and none begins it again at once."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine import making
from engine.making import Making, Workshop

ORDER = {"order": np.zeros(2)}


@pytest.fixture
def workshop() -> Workshop[bytes]:
    """One whose processes end at once, without a word."""
    return Workshop("engine.no_such_module", "nothing", "Nothing could be made", bytes, most=1)


def ended(made: Making[bytes]) -> Making[bytes]:
    over = threading.Event()
    made.on_done(over.set)
    assert over.wait(30)
    return made


def test_all_who_ask_are_told_of_a_failure_and_what_others_want_is_made(workshop: Workshop[bytes]) -> None:
    failed = ended(workshop.of(ORDER))
    assert failed.error is not None
    assert failed.error.startswith("Nothing could be made.")
    assert workshop.of(ORDER) is failed
    assert ended(workshop.of({"order": np.ones(2)})) is not failed


def test_it_is_begun_anew_a_while_later(workshop: Workshop[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    failed = ended(workshop.of(ORDER))
    monkeypatch.setattr(making, "REMEMBERED", 0.0)
    assert ended(workshop.of(ORDER)) is not failed
