"""What a real inlet sees of a session: five streams, every bin at its time, and nothing after the end."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pylsl
import pytest
from pylsl.util import LostError

from engine.bins import clock
from engine.bins.schema import row_dtype
from engine.deck.replay import Replay
from engine.sinks.base import Subject
from engine.sinks.feeder import Feeder
from engine.sinks.lsl import TRIGGERS, LslNames, LslSink
from engine.sources.recordings.recording import Recording
from tests.builders import replay_of, small_recording
from tests.engine.listening import PATIENCE, Keeper, wait_until

NAMES = LslNames()
PARTS = ("Neural", "Kinematics", "Intention", "Events", "Triggers")
PERIOD = 0.025

Publish = Callable[..., tuple[str, Replay]]


@pytest.fixture
def publish() -> Iterator[Publish]:
    """Makes a session with outlets under a code of its own, and waits until they are on the network."""
    made: list[tuple[Feeder, Replay]] = []

    def make(recording: Recording, names: LslNames = NAMES, **options: Any) -> tuple[str, Replay]:
        code = f"test-{uuid.uuid4().hex[:12]}"
        replay = replay_of(recording, **options)
        subject = Subject(code, recording, recording.bin_rate)
        feeder = Feeder(f"lsl of {code}", lambda: LslSink(subject, names), replay)
        made.append((feeder, replay))
        assert feeder.made.wait(PATIENCE)
        return code, replay

    yield make
    for feeder, replay in made:
        feeder.close()
        replay.close()


def found(part: str, code: str, name: str = NAMES.stream_name) -> pylsl.StreamInfo:
    """A stream on the network."""
    (info,) = pylsl.resolve_byprop("name", f"{name}-{part}-{code}", timeout=PATIENCE)
    return info


def inlet(part: str, code: str) -> pylsl.StreamInlet:
    """A connected inlet that does not search for its stream again once that has gone."""
    made = pylsl.StreamInlet(found(part, code), recover=False)
    made.open_stream(PATIENCE)
    return made


def pull(source: pylsl.StreamInlet, n: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """The next `n` samples, shape (n, n_channels), and their times as sent."""
    samples, times = [], []
    for _ in range(n):
        sample, at = source.pull_sample(PATIENCE)
        assert sample is not None
        samples.append(sample)
        times.append(at)
    return np.array(samples), np.array(times)


def channels(info: pylsl.StreamInfo) -> list[tuple[str, str, str]]:
    """Label, unit and type of each."""
    listed = []
    channel = info.desc().child("channels").first_child()
    while not channel.empty():
        listed.append(tuple(channel.child_value(key) for key in ("label", "unit", "type")))
        channel = channel.next_sibling()
    return listed


# What is on the network


def test_streams_are_named_typed_and_labelled_as_published(publish: Publish) -> None:
    code, _ = publish(small_recording(n_units=3))
    infos = {part: inlet(part, code).info(PATIENCE) for part in PARTS}

    assert {part: info.type() for part, info in infos.items()} == {
        "Neural": "EEG",
        "Kinematics": "Kinematics",
        "Intention": "Markers",
        "Events": "Markers",
        "Triggers": "Stimulus",
    }
    assert {part: info.channel_format() for part, info in infos.items()} == {
        "Neural": pylsl.cf_int32,
        "Kinematics": pylsl.cf_float32,
        "Intention": pylsl.cf_float32,
        "Events": pylsl.cf_string,
        "Triggers": pylsl.cf_float32,
    }
    assert [infos[part].nominal_srate() for part in PARTS] == [40.0] * 3 + [pylsl.IRREGULAR_RATE] * 2
    assert channels(infos["Neural"]) == [(f"unit {i}", "none", "misc") for i in range(3)]
    assert channels(infos["Kinematics"]) == [
        ("vx", "mm/s", "Kinematics"),
        ("vy", "mm/s", "Kinematics"),
        ("x", "mm", "Kinematics"),
        ("y", "mm", "Kinematics"),
    ]
    assert [label for label, _, _ in channels(infos["Intention"])] == [
        "target_id",
        "target_x",
        "target_y",
        "trial_id",
    ]
    assert len(channels(infos["Events"])) == 1
    assert [label for label, _, _ in channels(infos["Triggers"])] == list(TRIGGERS)
    for info in infos.values():
        assert info.desc().child_value("manufacturer") == "PhantomDeck"
        assert info.desc().child("synchronization").child_value("can_drop_samples") == "true"


def test_names_and_source_ids_follow_the_settings_and_stay_the_same(publish: Publish) -> None:
    recording = small_recording()
    code, replay = publish(recording, LslNames("Lab", "rig7"))
    first = {part: found(part, code, "Lab").source_id() for part in PARTS}
    replay.close()
    for part in PARTS:
        wait_until(lambda part=part: not pylsl.resolve_byprop("name", f"Lab-{part}-{code}", timeout=0.2))
    subject, again = Subject(code, recording, 40.0), replay_of(recording)
    feeder = Feeder("lsl", lambda: LslSink(subject, LslNames("Lab", "rig7")), again)
    assert feeder.made.wait(PATIENCE)
    second = {part: found(part, code, "Lab").source_id() for part in PARTS}
    again.close()
    feeder.close()

    assert first == second
    assert len(set(first.values())) == len(PARTS)
    assert all(source_id.startswith("rig7") for source_id in first.values())


def test_streams_vanish_with_the_session(publish: Publish) -> None:
    code, replay = publish(small_recording())
    source = inlet("Neural", code)
    replay.close()

    with pytest.raises(LostError):
        pull(source, 1000)
    # Its sink ends in a thread of its own, which nobody waits for here.
    wait_until(lambda: not pylsl.resolve_byprop("name", f"{NAMES.stream_name}-Neural-{code}", timeout=0.3))


# What an inlet receives


@pytest.mark.parametrize("n_units", [98, 5])
def test_inlet_alone_starts_the_session_and_gets_every_bin_at_the_time_it_was_due(
    publish: Publish, n_units: int
) -> None:
    recording = small_recording(n_units=n_units)
    code, replay = publish(recording)
    assert replay.state == "idle"
    counts, times = pull(inlet("Neural", code), 20)
    rows, lost = replay.ring.since(0)

    assert lost == 0
    assert counts.dtype.kind == "i"
    np.testing.assert_array_equal(counts, recording.counts[:20])
    np.testing.assert_allclose(np.diff(times), PERIOD, atol=1e-6)
    offset = pylsl.local_clock() - clock.now()
    np.testing.assert_allclose(times, rows["due"][:20] + offset, atol=1e-3)


def test_lost_packets_are_missing_on_every_inlet(publish: Publish) -> None:
    lost = {"lost_packets": {"enabled": True, "probability": 0.5}}
    code, replay = publish(small_recording(), perturbation=lost)
    inlets = [inlet(part, code) for part in ("Neural", "Kinematics", "Intention")]
    pulled = [pull(each, 30)[1] for each in inlets]
    rows = replay.ring.snapshot()
    offset = pylsl.local_clock() - clock.now()

    assert 0.2 < rows["lost"].mean() < 0.8
    arriving = rows["due"][~rows["lost"]] + offset
    for times in pulled:
        first = int(np.searchsorted(arriving, times[0] - 1e-3))  # those who connected later have less
        np.testing.assert_allclose(times, arriving[first : first + 30], atol=1e-3)


def test_delayed_samples_keep_the_time_at_which_they_were_due(publish: Publish) -> None:
    recording = small_recording()
    jitter = {"jitter": {"enabled": True, "sd": 300.0, "longest": 400.0}}
    code, replay = publish(recording, perturbation=jitter)
    source = inlet("Neural", code)
    counts, waited = [], []
    for _ in range(40):
        sample, at = source.pull_sample(PATIENCE)
        counts.append(sample)
        waited.append(pylsl.local_clock() - at)
    rows, _ = replay.ring.since(0)
    held = np.maximum.accumulate(rows["due"] + rows["delay"]) - rows["due"]

    np.testing.assert_array_equal(counts, recording.counts[:40])
    assert (waited >= held[:40] - 1e-3).all()


def test_kinematics_come_as_velocity_and_position(publish: Publish) -> None:
    recording = small_recording()
    code, _ = publish(recording)
    values, times = pull(inlet("Kinematics", code), 10)

    np.testing.assert_array_equal(values, recording.kinematics[:10][:, [2, 3, 0, 1]])
    np.testing.assert_allclose(np.diff(times), PERIOD, atol=1e-6)


def test_all_streams_give_a_bin_the_same_time(publish: Publish) -> None:
    recording = small_recording()
    code, replay = publish(recording, speed=10.0)
    expected = {
        "Neural": recording.counts,
        "Kinematics": recording.kinematics[:, [2, 3, 0, 1]],
        "Intention": recording.bins["intention"][:, :3],
    }
    inlets = {part: inlet(part, code) for part in expected}
    pulled = {part: pull(each, 60) for part, each in inlets.items()}
    rows = replay.ring.snapshot()
    offset = pylsl.local_clock() - clock.now()

    for part, (values, times) in pulled.items():
        sent = np.searchsorted(rows["due"] + offset, times - 1e-3)  # those who connected later have less
        np.testing.assert_allclose(times, rows["due"][sent] + offset, atol=1e-3)
        wanted = expected[part][rows["packet_id"][sent]]
        np.testing.assert_array_equal(values[:, : wanted.shape[1]], wanted)


def test_intention_names_the_trial_and_marks_what_is_missing(publish: Publish) -> None:
    recording = small_recording(n_bins=80, gaps=True)  # trials of 16 bins, gaps of 4
    renamed = replace(
        recording, trials=tuple(replace(t, trial_id=100 + t.trial_id) for t in recording.trials)
    )
    code, _ = publish(renamed, speed=10.0)
    values, _ = pull(inlet("Intention", code), 40)

    np.testing.assert_array_equal(values[:16], [[0, 100, 0, 100]] * 16)
    np.testing.assert_array_equal(values[16:20], [[-1, 0, 0, -1]] * 4)
    np.testing.assert_array_equal(values[20:36], [[1, 0, 100, 101]] * 16)


def test_missing_kinematics_are_missing_on_the_inlet_too(publish: Publish) -> None:
    code, _ = publish(small_recording(n_bins=80, gaps=True), speed=10.0)
    values, _ = pull(inlet("Kinematics", code), 20)

    assert np.isnan(values).any(axis=1).tolist() == [False] * 16 + [True] * 4


def test_events_tell_trials_pauses_and_seeks_at_their_time(publish: Publish) -> None:
    code, replay = publish(small_recording(), speed=20.0)
    keeper = Keeper(replay)
    source = inlet("Events", code)
    keeper.wait_rows(1)
    replay.pause()
    replay.seek(100)
    replay.resume()
    told: dict[str, float] = {}
    while "trial_end 2" not in told:
        sample, at = source.pull_sample(PATIENCE)
        assert sample is not None
        told.setdefault(sample[0], at)
    due = dict(zip(keeper.rows["packet_id"].tolist(), keeper.rows["due"].tolist(), strict=True))
    offset = pylsl.local_clock() - clock.now()

    assert [text for text in told if not text.endswith((" 0", " 1"))] == [
        "pause",
        "seek 100",
        "resume",
        "trial_start 2",
        "target_on 2",
        "go_cue 2",
        "trial_end 2",
    ]
    for text, packet_id in (("trial_start 0", 0), ("trial_start 2", 100), ("go_cue 2", 115)):
        assert told[text] == pytest.approx(due[packet_id] + offset, abs=1e-3)


def test_triggers_are_one_hot_at_the_times_of_the_events_that_they_stand_for(publish: Publish) -> None:
    code, replay = publish(small_recording(), speed=20.0)
    replay.pause()  # else it plays to the first inlet alone
    events, triggers = inlet("Events", code), inlet("Triggers", code)
    replay.resume()
    texts, at = [], []
    while "trial_end 1" not in texts:
        sample, time = events.pull_sample(PATIENCE)
        texts.append(sample[0])
        at.append(time)
    kinds = [text.partition(" ")[0] for text in texts]
    wanted = [(kind, time) for kind, time in zip(kinds, at, strict=True) if kind in TRIGGERS]
    samples, times = pull(triggers, len(wanted))
    assert samples.sum(axis=1).tolist() == [1.0] * len(wanted)
    assert [TRIGGERS[i] for i in samples.argmax(axis=1)] == [kind for kind, _ in wanted]
    np.testing.assert_array_equal(times, [time for _, time in wanted])


def test_counts_above_a_byte_arrive_whole() -> None:
    recording = small_recording(n_units=2)
    code = f"test-{uuid.uuid4().hex[:12]}"
    outlet = LslSink(Subject(code, recording, 40.0), NAMES)
    source = inlet("Neural", code)
    rows = np.zeros(3, row_dtype(2, np.uint16))
    rows["counts"] = [[0, 255], [256, 1000], [65535, 1]]
    rows["due"] = [10.0, 10.5, 11.0]
    outlet.push(rows)
    counts, times = pull(source, 3)
    outlet.close()

    np.testing.assert_array_equal(counts, rows["counts"])
    np.testing.assert_allclose(np.diff(times), 0.5)


def test_closing_twice_is_harmless() -> None:
    outlet = LslSink(Subject(f"test-{uuid.uuid4().hex[:12]}", small_recording(), 40.0), NAMES)
    outlet.close()
    outlet.close()

    assert not outlet.wanted()


def test_silent_at_speed_max(publish: Publish) -> None:
    recording = small_recording()
    code, replay = publish(recording, speed="max")
    keeper = Keeper(replay)
    source = inlet("Neural", code)
    keeper.wait_rows(1000)
    slowed = pylsl.local_clock()
    replay.set_speed(20.0)
    _, times = pull(source, 1)

    assert times[0] >= slowed - 1e-3


def test_library_greets_nobody_on_standard_error() -> None:
    program = "from engine.sinks import lsl; lsl.pylsl.local_clock(); lsl.pylsl.resolve_streams(0.1)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stderr == ""
