"""What a real inlet sees of a session's voltages: every sample at its time, and nothing after the end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial

import numpy as np
import pylsl
import pytest

from engine.bins import clock
from engine.broadband import SAMPLING_RATE
from engine.deck.replay import Replay
from engine.sinks.base import Subject
from engine.sinks.feeder import Feeder
from engine.sinks.lsl import LslNames
from engine.sinks.lsl_raw import RawLslSink
from engine.sources.electrodes.implant import Implant
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.source import ElectrodeSource
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from tests.builders import small_recording
from tests.engine.listening import PATIENCE, Keeper, wait_until
from tests.engine.sources.electrodes.offline import offline

SETTINGS = Electrodes(n_channels=3, seed=5)
NAMES = LslNames("Lab", "rig7")

Published = tuple[str, Replay]


@pytest.fixture
def published() -> Iterator[Published]:
    """A session of electrodes with an outlet, under a code of its own."""
    code, recording = f"test-{uuid.uuid4().hex[:12]}", small_recording()
    detect = partial(Detector, 3, SETTINGS.microvolts_per_count, bin_rate=40.0, engine="scipy")
    implant = Implant(recording, None, SETTINGS, Detection(), detect, engine="scipy")
    source = ElectrodeSource(implant, {})
    replay = Replay(source)
    subject = Subject(code, source.description, 40.0, replay.voltages)
    feeder = Feeder("raw", lambda: RawLslSink(subject, NAMES), replay)
    assert feeder.made.wait(PATIENCE)
    yield code, replay
    replay.close()
    feeder.close()


def inlet(code: str) -> pylsl.StreamInlet:
    (info,) = pylsl.resolve_byprop("name", f"Lab-Raw-{code}", timeout=PATIENCE)
    made = pylsl.StreamInlet(info)
    made.open_stream(timeout=PATIENCE)
    return made


def pull(source: pylsl.StreamInlet, n: int) -> tuple[np.ndarray, np.ndarray]:
    values, times = [], []
    while len(times) < n:
        some, at = source.pull_chunk(timeout=PATIENCE, max_samples=n - len(times))
        assert at
        values += some
        times += at
    return np.array(values), np.array(times)


def test_inlet_alone_starts_the_session_and_gets_every_sample_at_its_time(published: Published) -> None:
    code, replay = published
    assert replay.voltages is not None
    assert replay.state == "idle"
    source = inlet(code)
    info = source.info(PATIENCE)
    values, times = pull(source, 6000)
    before = pylsl.local_clock()

    whole = offline(small_recording(), SETTINGS, 40, "scipy") * np.float32(0.25)
    np.testing.assert_array_equal(values, whole[:6000])
    # Bins are due 25 ms apart, so their samples are as well.
    np.testing.assert_allclose(np.diff(times), 1 / SAMPLING_RATE, atol=1e-7)
    assert times[-1] < before
    due = replay.ring.snapshot()["due"][0] + pylsl.local_clock() - clock.now()
    assert times[750] == pytest.approx(due, abs=1e-4)

    assert (info.type(), info.channel_format()) == ("EEG", pylsl.cf_float32)
    assert info.nominal_srate() == SAMPLING_RATE
    assert info.source_id() == f"rig7-raw-{code}"
    channel = info.desc().child("channels").child("channel")
    told = [channel.child_value(name) for name in ("label", "unit", "type")]
    assert told == ["electrode 0", "microvolts", "EEG"]
    assert info.get_channel_labels() == [f"electrode {i}" for i in range(3)]


def test_nothing_is_published_while_no_inlet_is_there_and_the_outlet_ends_with_the_session(
    published: Published,
) -> None:
    code, replay = published
    assert replay.voltages is not None
    keeper = Keeper(replay)
    replay.start()
    keeper.wait_rows(10)
    assert replay.voltages.head == 0
    source = inlet(code)
    pull(source, 300)
    source.close_stream()
    wait_until(lambda: replay.voltages.since(0)[0] == [])  # it keeps nothing for nobody
    replay.close()
    wait_until(lambda: not pylsl.resolve_byprop("name", f"Lab-Raw-{code}", timeout=0.2))
