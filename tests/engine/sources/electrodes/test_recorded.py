"""A recording whose file has voltages: they are played as they are, and spikes are found in them."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
from hdmf.common import DynamicTable
from pynwb import NWBFile

import engine.files.voltages
from engine import broadband
from engine.errors import BadSetting, CannotFit, RecordingError
from engine.files.rows import rows_of
from engine.files.voltages import BLOCK, VoltageSeries
from engine.found.finding import find
from engine.found.orders import as_found, of_voltages
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.choice import chosen
from engine.sources.electrodes.implant import Implant
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.signal import Replayed
from engine.sources.electrodes.source import ElectrodeSource
from engine.sources.electrodes.trains import Played
from engine.sources.recordings.events import trial_events
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from tests.engine.sources.electrodes.test_source import bins
from tests.nwb_builders import add_behavior, add_electrodes, nwb_file, ramp, samples, save, voltages

RATE, SECONDS, N_CHANNELS = 30_000, 10, 4
ROWS = [5, 1, 3, 2]
"""Of the table of electrodes, of the channels: neither in order nor all."""


class Simulated(NamedTuple):
    trains: list[np.ndarray[Any, np.dtype[np.float64]]]
    counts: np.ndarray[Any, np.dtype[np.int16]]


@pytest.fixture(scope="module")
def truth() -> Simulated:
    rng = np.random.default_rng(1)
    trains = [np.sort(rng.uniform(0.05, SECONDS - 0.05, 250)) for _ in range(N_CHANNELS + 1)]
    settings = Electrodes(
        n_channels=N_CHANNELS, pink=14.0, thermal=4.0, amplitude=(110.0, 120.0), amplitude_jitter=0.0
    )
    array = ElectrodeArray(settings, Played(trains), "scipy")
    return Simulated(trains, array.read(SECONDS * RATE).voltages)


@pytest.fixture(scope="module")
def recording(truth: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """With sorted units, the last of which is on the first channel, too."""
    nwb = with_units(truth)
    nwb.add_acquisition(voltages(nwb, truth.counts, ROWS))
    return written(nwb, tmp_path_factory.mktemp("own"))


def with_units(truth: Simulated) -> NWBFile:
    nwb = add_electrodes(nwb_file(()), 6)
    for train, row in zip(truth.trains, [*ROWS, ROWS[0]], strict=True):
        nwb.add_unit(spike_times=train, electrodes=[0, row] if row == 1 else [row])
    return add_behavior(nwb, samples("cursor_pos", ramp(100 * SECONDS)))


def written(nwb: NWBFile, folder: Path) -> Recording:
    return read(save(nwb, folder / "a.nwb"), 40.0)


@contextmanager
def playing(recording: Recording, voltages: VoltageSeries | None = None) -> Iterator[ElectrodeSource]:
    settings, own = chosen(recording.name, voltages or recording.voltages, {})
    assert own is not None
    scale, times = settings.microvolts_per_count, recording.spike_times

    def detector(wanted: Any) -> Detector:
        return Detector(settings.n_channels, scale, wanted, recording.bin_rate, engine="scipy")

    within = None if times is None else times.within
    implant = Implant(recording, within, settings, Detection(), detector, "scipy", own)
    source = ElectrodeSource(implant, trial_events(recording))
    try:
        yield source
    finally:
        source.close()


def found_in(counts: np.ndarray[Any, np.dtype[np.int16]]) -> np.ndarray[Any, Any]:
    detector = Detector(counts.shape[1], 0.25, bin_rate=40.0, engine="scipy")
    return np.array([each.counts for each in detector.process(counts).bins])


def test_counts_are_what_is_found_in_the_whole_again_and_again(
    recording: Recording, truth: Simulated
) -> None:
    n_bins = recording.n_bins
    assert n_bins == 400
    with playing(recording) as source:
        rows, _ = bins(source, n_bins + 100)
    whole = np.concatenate([truth.counts, truth.counts[: 100 * 750]])
    np.testing.assert_array_equal(rows["counts"], found_in(whole))
    assert rows["counts"].sum() > 1000
    assert rows["observed"].all()
    np.testing.assert_array_equal(rows["kinematics"][:n_bins], recording.kinematics)
    assert source.description.channel_names == tuple(f"electrode {10 + row}" for row in ROWS)
    assert not source.description.synthetic


def test_the_files_units_are_the_truth_of_their_channels(recording: Recording) -> None:
    with playing(recording) as source:
        bins(source, 300)
        found, (true, _) = source.implant.detected, source.troughs.between(0, 7 * RATE)
    assert found is not None
    assert source.description.truth
    assert (found.matched.recall > 0.9).all()
    assert found.matched.precision_in_all > 0.85
    assert recording.spike_times is not None
    assert found.matched.n_true[0] > 1.7 * found.matched.n_true[1]
    assert set(true.channels.tolist()) == set(range(N_CHANNELS))


@pytest.mark.parametrize("block", [1, 777, BLOCK, 10**7])
def test_samples_are_those_of_the_file_whatever_the_blocks(
    recording: Recording, truth: Simulated, block: int
) -> None:
    assert recording.voltages is not None
    signal = Replayed(recording.voltages, 0.0, recording.n_bins, 40.0, 1.0, block=block)
    stop = 5 if block == 1 else recording.n_bins + 7
    found = np.concatenate([signal.read(range(k, min(k + 3, stop))).voltages for k in range(0, stop, 3)])
    signal.close()
    twice = np.concatenate([truth.counts, truth.counts])
    np.testing.assert_array_equal(found, twice[: len(found)])
    assert len(found) == stop * 750


def test_no_more_than_a_block_or_two_is_read_ahead(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    class Noted:
        def __init__(self, *file: Any) -> None:
            self._rows = rows_of(*file)
            self.close = self._rows.close

        def read(self, first: int, stop: int) -> Any:
            asked.append((first, stop))
            return self._rows.read(first, stop)

    monkeypatch.setattr(engine.files.voltages, "rows_of", Noted)
    with playing(recording) as source:
        bins(source, 40)
    assert 4 <= len(asked) <= 7  # a second, 0.4 s, and what is begun
    assert asked == [(i * BLOCK, (i + 1) * BLOCK) for i in range(len(asked))]


def test_a_disk_that_stalls_is_waited_for_by_nobody_but_the_electrodes_thread(
    recording: Recording, truth: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    class Slow:
        def __init__(self, *file: Any) -> None:
            self._rows = rows_of(*file)
            self.close = self._rows.close

        def read(self, first: int, stop: int) -> Any:
            assert first < 2 * BLOCK or answers.wait(60)
            return self._rows.read(first, stop)

    monkeypatch.setattr(engine.files.voltages, "rows_of", Slow)
    n = 2 * BLOCK // 750
    with playing(recording) as source:
        before, _ = bins(source, n)
        assert source.ready(1) == 0
        answers.set()
        after, _ = bins(source, 40)
    counts = np.concatenate([before["counts"], after["counts"]])
    np.testing.assert_array_equal(counts, found_in(truth.counts)[: n + 40])


def test_without_units_of_these_channels_nothing_is_made_up(truth: Simulated, tmp_path: Path) -> None:
    nwb = add_electrodes(nwb_file(truth.trains), 6)
    nwb.add_acquisition(voltages(nwb, truth.counts, ROWS))
    with playing(written(nwb, tmp_path)) as source:
        bins(source, 120)
        found, (true, made_out) = source.implant.detected, source.troughs.between(0, 3 * RATE)
    assert found is not None
    assert not source.description.truth
    for name in ("recall", "precision", "timing_error_ms"):
        assert np.isnan(found.by_channel[name]).all()
    assert np.isnan([found.matched.recall_in_all, found.matched.precision_in_all]).all()
    assert np.isfinite(found.noise).all()
    assert len(true.samples) == 0 < len(made_out.samples)


def test_bins_without_voltages_are_not_observed_and_nothing_is_found_there(
    truth: Simulated, tmp_path: Path
) -> None:
    times = np.arange(len(truth.counts)) / RATE + 0.5
    times[4 * RATE :] += 2.0
    nwb = with_units(truth)
    counts = truth.counts + np.where(np.arange(len(truth.counts)) >= 4 * RATE, 2000, 0)[:, None]
    nwb.add_acquisition(voltages(nwb, counts.astype(np.int16), ROWS, timestamps=times))
    with playing(written(nwb, tmp_path)) as source:
        rows, _ = bins(source, 399)
    there = np.ones(399, bool)
    there[:20] = there[180:260] = False
    np.testing.assert_array_equal(rows["observed"], there)
    np.testing.assert_array_equal(rows["coverage"], there)
    assert rows["counts"][~there].sum() == 0
    whole = found_in(truth.counts)
    for now, then in ((slice(30, 180), slice(10, 160)), (slice(260, 399), slice(160, 299))):
        found, expected = rows["counts"][now].sum(axis=0), whole[then].sum(axis=0)
        np.testing.assert_allclose(found, expected, rtol=0.05)


def test_decoders_learn_from_what_is_found_in_them_beforehand(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadband, "fastest", lambda: "scipy")
    settings, own = chosen(recording.name, recording.voltages, {})
    assert own is not None
    kept = io.BytesIO()
    np.savez(kept, **of_voltages(recording, own, settings))
    kept.seek(0)
    order = dict(np.load(kept))
    with playing(recording) as source:
        rows, _ = bins(source, recording.n_bins)
    counts = find(order, lambda _: None)
    np.testing.assert_array_equal(counts, rows["counts"])
    learned = as_found(recording, order, counts)
    assert (learned.name, learned.channel_names) == ("a-on-4-electrodes", own.channel_names)


def test_floats_are_rounded_to_the_settings_counts(truth: Simulated, tmp_path: Path) -> None:
    nwb = with_units(truth)
    nwb.create_processing_module("ecephys", "test").add(
        voltages(nwb, truth.counts[:RATE] * np.float32(0.25), ROWS, conversion=1e-6)
    )
    recording = written(nwb, tmp_path)
    settings, own = chosen("a", recording.voltages, {"microvolts_per_count": 0.5})
    assert own is not None
    signal = Replayed(own, 0.0, recording.n_bins, 40.0, settings.microvolts_per_count)
    found = signal.read(range(20)).voltages
    np.testing.assert_array_equal(found, np.rint(truth.counts[: len(found)] / 2))
    signal.close()


def test_what_holds_for_simulated_electrodes_alone_is_refused(recording: Recording) -> None:
    own = recording.voltages
    for given, n_channels, why in (
        (
            {"pink": 1.0, "dead": [1]},
            None,
            "The voltages are those of a, not simulated. Leave out pink and dead, or",
        ),
        ({"microvolts_per_count": 1.0}, None, "Leave out microvolts_per_count, or"),
        (
            {},
            96,
            "a has voltages of 4 channels, not 96. Leave the number out, or send",
        ),
    ):
        with pytest.raises(BadSetting, match=re.escape(why)):
            chosen("a", own, given, n_channels)
    simulated, none = chosen("a", own, {"voltages": "simulated", "pink": 1.0}, 96)
    assert (none, simulated.voltages, simulated.n_channels) == (None, "simulated", 96)
    with playing(recording) as source:
        with pytest.raises(BadSetting, match=r"of a: dead cannot be changed\. Change the detection"):
            source.tune("electrodes", {"dead": [1]})
        assert source.tune("detection", {"k": 5.0}).startswith("detection k 5 from bin")


def test_files_without_voltages_or_with_others_are_simulated_unless_the_file_is_asked_for(
    truth: Simulated, tmp_path: Path
) -> None:
    few = truth.counts[:1000]
    others: list[tuple[dict[str, Any], str]] = [
        (
            {"rate": 25_000.0},
            "a: its voltages are sampled at 25000 Hz, and spikes are found at 30000 Hz.",
        ),
        ({"conversion": 1.0}, "a: its voltages have 1e+06 uV a count; 0.001 to 10 can be. Repair their"),
        (
            {"conversion": 0.0},
            "a: its voltages have a conversion that is 0 or no number. Repair it",
        ),
    ]
    for i, (fields, why) in enumerate(others):
        nwb = add_electrodes(nwb_file(), 6)
        nwb.add_acquisition(voltages(nwb, few, ROWS, **fields))
        (tmp_path / str(i)).mkdir()
        own = written(nwb, tmp_path / str(i)).voltages
        assert own is not None
        assert own.n_channels == N_CHANNELS
        assert chosen("a", own, {})[1] is None
        with pytest.raises(CannotFit, match=re.escape(why)):
            chosen("a", own, {"voltages": "file"})
    assert written(nwb_file(), tmp_path).voltages is None
    with pytest.raises(CannotFit, match=r"a has no voltages: its file has no ElectricalSeries\."):
        chosen("a", None, {"voltages": "file"})


def test_a_file_with_voltages_alone_is_played(truth: Simulated, tmp_path: Path) -> None:
    nwb = add_electrodes(nwb_file(()), 6)
    nwb.add_acquisition(voltages(nwb, truth.counts[: 2 * RATE], ROWS, starting_time=5.0))
    recording = written(nwb, tmp_path)
    assert (recording.n_units, recording.n_bins, recording.start_time) == (0, 80, 5.0)
    with playing(recording) as source:
        rows, _ = bins(source, 80)
    np.testing.assert_array_equal(rows["counts"], found_in(truth.counts[: 2 * RATE]))
    assert rows["observed"].all()
    nwb = add_electrodes(nwb_file(()), 6)
    nwb.add_acquisition(voltages(nwb, truth.counts[:RATE], ROWS, rate=20_000.0))
    with pytest.raises(
        RecordingError, match=r"^a\.nwb has no units, and its voltages are sampled at 20000"
    ):
        written(nwb, tmp_path)


def test_a_series_with_electrodes_that_are_not_there_leaves_the_recording_as_it_was(
    truth: Simulated, tmp_path: Path
) -> None:
    nwb = add_electrodes(nwb_file(), 6)
    nwb.add_acquisition(voltages(nwb, truth.counts[:1000], ROWS))
    path = save(nwb, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        file["acquisition/raw/electrodes"][...] = [5, 1, 99, 2]
    recording = read(path, 40.0)
    assert recording.n_units == 3
    assert recording.voltages is not None
    assert recording.voltages.misfit == "cannot be read: raw is not as NWB has it. Write it again"


def test_what_a_record_has_lost_of_its_voltages_is_not_observed(truth: Simulated, tmp_path: Path) -> None:
    nwb = add_electrodes(nwb_file(((0.01, 1.99),)), 6)
    nwb.add_acquisition(voltages(nwb, truth.counts[: 2 * RATE], ROWS))
    lost = DynamicTable(name="lost_voltages", description="test")
    for name in ("start_time", "stop_time"):
        lost.add_column(name, "test")
    lost.add_row(start_time=0.5, stop_time=0.75)
    record = nwb.create_processing_module("record", "test")
    for table in (lost, DynamicTable(name="bins", description="test")):
        record.add(table)
    with playing(written(nwb, tmp_path)) as source:
        rows, _ = bins(source, 80)
    assert np.flatnonzero(~rows["observed"]).tolist() == list(range(20, 30))
