"""Decoders of electrode sessions, which learn from what is found there: real processes, over REST."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from engine.decoders.bins import Bins
from engine.errors import NotNow
from sessions.found import Found
from sessions.options import Options
from sessions.refusals import Soon
from sessions.session import Session
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import wait_until
from tests.sessions.serving import Client, serving

DECODERS = "/api/sessions/wires/decoders"
BINS = "/api/sessions/wires/bins.npz"


def wait_for(call: Client, state: str) -> list[str]:
    """What the only decoder said until it was in a state."""
    said: list[str] = []

    def is_there() -> bool:
        (decoder,) = call("GET", DECODERS).json["decoders"]
        said.append(decoder["line"])
        return bool(decoder["state"] == state)

    wait_until(is_there)
    return said


def test_a_decoder_that_the_server_starts_learns_from_what_is_found_and_plays() -> None:
    with serving(Store({"small": small_recording(n_units=3)})) as call:
        call.create("wires", source="electrodes:3", seed=5)
        begun = call("POST", DECODERS, {"decoder": "wiener"}).json["decoders"][0]
        assert (begun["name"], begun["state"]) == ("wiener", "fitting")
        assert begun["line"].startswith("The spikes of small are being found on 3 electrodes: ")
        waits = call("GET", BINS)
        assert (waits.status, waits.headers["Retry-After"]) == (503, "1")
        assert waits.json["detail"].startswith("The spikes of small are being found on 3 electrodes: ")
        said = wait_for(call, "running")
        assert said[-1] == "Decoding session wires with wiener."
        assert any(each.startswith("The spikes of small are being found on 3 electrodes") for each in said)
        wait_until(lambda: "wiener" in call.store.get("wires").predictions.names)
        found = Bins.from_npz(call("GET", f"{BINS}?trial_ids=1").content)
        assert (found.recording, found.counts.shape) == ("small-on-3-electrodes", (50, 3))
        assert call("GET", f"{BINS}?trial_ids=9").json["error"]["code"] == "unknown_trial"


def learned_from(found: Found, session: Session) -> np.ndarray:
    """The counts, once they are there."""
    made: list[np.ndarray] = []

    def is_there() -> bool:
        with suppress(Soon):
            made.append(found.learned_from(session, small_recording()).counts)
        return bool(made)

    wait_until(is_there)
    return made[0]


def test_what_was_found_is_kept_for_the_next_server(tmp_path: Path) -> None:
    store = Store({"small": small_recording()})
    session = store.create("wires", Options(source="electrodes:2"))
    loop = store.create("loop", Options(source="user:electrodes:2"))
    first = Found(tmp_path / "found")
    counts = learned_from(first, session)
    first.close()
    again = Found(tmp_path / "found").learned_from(session, small_recording()).counts
    assert (again == counts).all()
    # The neurons of a user at the same electrodes fire as the recording's: there is no more to learn from.
    assert (Found(tmp_path / "found").learned_from(loop, small_recording()).counts == counts).all()
    assert counts.any()
    store.close()


def test_nothing_is_found_when_the_server_goes_down() -> None:
    store = Store({"small": small_recording()})
    session = store.create("wires", Options(source="electrodes:2"))
    found = Found()
    found.close()
    with pytest.raises(NotNow, match="could not be found: the server is going down"):
        found.learned_from(session, small_recording())
    store.close()


def test_bins_of_a_session_are_its_recordings() -> None:
    with serving() as call:
        call.create("wires")
        found = Bins.from_npz(call("GET", BINS).content)
        assert (found.recording, found.counts.shape) == ("small", (200, 5))
        call.create("loop", source="user")
        assert call("GET", "/api/sessions/loop/bins.npz").status == 409
