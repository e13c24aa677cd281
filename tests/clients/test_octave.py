"""What runs in MATLAB, run in Octave: the client by REST alone, and the card's program as it is copied."""

from __future__ import annotations

import os
import shutil

import pytest

from dashboard.live.snippets import Reach, snippets
from tests.clients.conftest import CLIENTS, Client, playing

OCTAVE = shutil.which("octave-cli")
pytestmark = pytest.mark.skipif(
    OCTAVE is None, reason="There is no Octave (on Debian: apt install octave)."
)
TOKEN = "a secret"


def test_the_client_answers_every_bin_and_shows_the_token() -> None:
    with playing(token=TOKEN) as deck:
        asked = {"PHANTOM_PORT": str(deck.port), "PHANTOM_TOKEN": TOKEN, "PHANTOM_PACKETS": "10"}
        client = Client([OCTAVE, "--quiet", str(CLIENTS / "decoder.m")], env=os.environ | asked)
        try:
            assert "bin 0: 6 spikes, 0 lost\n" in client.end()
        finally:
            client.close()
        predictions = deck.store.get("demo").predictions
        assert predictions.names == ["matlab"]
        assert set(range(10)) <= set(predictions.ring.snapshot()["sequence_number"])


def test_the_program_of_the_card_runs_as_it_is_copied() -> None:
    with playing() as deck:
        session = deck.store.create("demo")
        (program,) = (each.text for each in snippets(Reach(deck.url, "demo")) if each.key == "matlab")
        client = Client([OCTAVE, "--quiet", "--eval", program])
        try:
            client.until("3: 9 spikes")
        finally:
            client.close()
        assert session.predictions.names == ["matlab"]
