"""A recording's own voltages, as clients of a session see them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import broadband
from engine.errors import CannotFit
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from sessions.decoding import Decoding
from sessions.options import Options
from sessions.store import Store
from tests.engine.listening import Keeper
from tests.nwb_builders import add_electrodes, nwb_file, save, voltages
from tests.sessions.serving import Client, serving
from tests.sessions.streaming import Decoder
from tests.sessions.streams.test_raw import Block

COUNTS = np.random.default_rng(0).integers(-400, 400, (90_000, 3), np.int16)
SCALE = 0.195


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    nwb = add_electrodes(nwb_file(((0.01, 2.99), (1.0, 2.0))), 3)
    nwb.add_acquisition(voltages(nwb, COUNTS, conversion=SCALE * 1e-6))
    return read(save(nwb, tmp_path_factory.mktemp("own") / "own.nwb"), 40.0)


@pytest.fixture(scope="module")
def ask(recording: Recording) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broadband, "fastest", lambda: "scipy")
        with serving(Store({"own": recording}), decoding=Decoding()) as made:
            yield made


def test_what_a_recording_tells_of_its_voltages(ask: Client) -> None:
    told = ask("GET", "/api/metadata").json["voltages"]
    assert told == {
        "name": "raw",
        "n_channels": 3,
        "sampling_rate_hz": 30_000.0,
        "seconds": 3.0,
        "microvolts_per_count": pytest.approx(SCALE),
        "truth": False,
        "misfit": None,
    }


def test_a_session_streams_the_files_samples_to_the_bit_and_its_detection_has_no_truth(ask: Client) -> None:
    ask.create("own", source="electrodes", speed=4.0, electrodes={"voltages": "file"})
    keeper = Keeper(ask.store.get("own").replay)
    client = Decoder(f"ws://127.0.0.1:{ask.port}/stream/raw/own")
    found = [Block.read(client.frame()) for _ in range(320)]
    client.close()
    told = client.metadata
    assert told["microvolts_per_count"] == pytest.approx(SCALE)
    assert told["channel_names"] == ["electrode 10", "electrode 11", "electrode 12"]
    assert [block.first for block in found] == list(range(0, 320 * 300, 300))
    played = np.concatenate([block.samples for block in found])
    np.testing.assert_array_equal(played, [*COUNTS, *COUNTS[:6000]])
    keeper.wait_rows(125)
    view = ask("GET", "/api/sessions/own").json
    assert (view["electrodes"]["voltages"], view["electrodes"]["microvolts_per_count"]) == ("file", SCALE)
    detection = view["detection"]
    assert [detection[name] for name in ("recall", "precision", "timing_error_ms")] == [None] * 3
    assert detection["channels"]["recall"] == [None] * 3
    assert all(level > 0 for level in detection["channels"]["noise_uv"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"electrodes": {"pink": 20}}, "own, not simulated. Leave out pink, or send voltages 'simulated'."),
        ({"source": "electrodes:96"}, "own has voltages of 3 channels, not 96. Leave the number out, or"),
        ({"electrodes": {"voltages": "tape"}}, "electrodes.voltages"),
    ],
)
def test_what_is_of_simulated_electrodes_is_refused_in_a_line(
    ask: Client, options: dict[str, Any], said: str
) -> None:
    reply = ask("POST", "/api/sessions", {"custom_code": "no", "source": "electrodes", **options})
    assert reply.status == 422
    assert said in reply.json["error"]["message"]


def test_electrodes_of_a_file_cannot_be_changed_and_the_detection_can(ask: Client) -> None:
    ask.create("still", source="electrodes")
    refused = ask("PUT", "/api/sessions/still/electrodes", {"dead": [0]})
    assert refused.status == 422
    said = refused.json["error"]["message"]
    assert said.startswith("The voltages are those of own: dead cannot be changed. Change the detection")
    assert ask("PUT", "/api/sessions/still/detection", {"k": 5}).json["k"] == 5


def test_files_are_named_by_their_own_path(recording: Recording, tmp_path: Path) -> None:
    assert recording.voltages is not None
    assert recording.voltages.path.name == "own.nwb"
    assert recording.voltages.place == "/acquisition/raw/data"


def test_a_recording_with_voltages_alone_has_electrodes_alone(tmp_path: Path) -> None:
    nwb = add_electrodes(nwb_file(()), 3)
    nwb.add_acquisition(voltages(nwb, COUNTS[:30_000]))
    store = Store({"alone": read(save(nwb, tmp_path / "alone.nwb"), 40.0)})
    for options in (
        Options(),
        Options(source="user"),
        Options(source="electrodes", electrodes={"voltages": "simulated"}),
    ):
        with pytest.raises(CannotFit, match=r"alone has voltages and no spikes\. A session with"):
            store.create("no", options)
    session = store.create("yes", Options(source="electrodes"))
    assert session.description.n_units == 3
    store.close()
