"""Voltages in a record: every sample that was due at its time, and what was lost told and left blank."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, validate

from engine.bins.voltages import Flow, VoltageRing, Voltages
from engine.broadband import BLOCK, SAMPLING_RATE, Counts16
from engine.deck.replay import Replay
from engine.files.entries import Entries, read_entries
from engine.files.sealed import unsealed
from engine.sinks.record import voltages
from engine.sinks.record.electrical import DATA
from engine.sinks.record.finish import finish
from engine.sinks.record.reading import read_record
from engine.sinks.record.recorder import Recorder
from engine.sinks.record.voltages import CHUNK, VoltageLog
from engine.sources.electrodes.implant import Implant
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.signal import Replayed
from engine.sources.electrodes.source import ElectrodeSource
from engine.sources.recordings.readers import read
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from tests.builders import small_recording
from tests.engine.listening import PATIENCE, Keeper, wait_until
from tests.engine.sinks.record.recording import header

N_CHANNELS = 4
SETTINGS = Electrodes(n_channels=N_CHANNELS, seed=5)


@dataclass
class Reader:
    """Takes every block as soon as it is there, in the deck's thread."""

    ring: VoltageRing
    taken: list[Voltages] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.row = self.ring.join(self.take)

    def take(self) -> None:
        blocks, lost = self.ring.since(self.row)
        assert not lost
        self.row += len(blocks)
        self.taken += blocks

    def samples(self, first: int, n: int) -> Counts16:
        """As many as it has, from the given one on."""
        (blocks,) = [[b for b in self.taken if first <= b.first < first + n]]
        assert [block.first for block in blocks] == list(range(first, first + n, BLOCK))
        return np.concatenate([block.samples for block in blocks])


@dataclass
class Recorded:
    replay: Replay
    keeper: Keeper
    reader: Reader
    recorder: Recorder
    journal: Path

    def play(self, n: int) -> None:
        self.keeper.wait_rows(len(self.keeper.rows) + n)


@contextmanager
def recorded(
    folder: Path, passphrase: str | None = None, before: int = 0, **options: Any
) -> Iterator[Recorded]:
    """A session of electrodes whose record with voltages begins after some bins."""
    recording = small_recording()
    detect = partial(Detector, N_CHANNELS, SETTINGS.microvolts_per_count, bin_rate=40.0, engine="scipy")
    implant = Implant(recording, None, SETTINGS, Detection(), detect, engine="scipy")
    source = ElectrodeSource(implant, {})
    replay = Replay(source, **({"speed": 8.0} | options))
    assert replay.voltages is not None
    keeper, reader = Keeper(replay), Reader(replay.voltages)
    if before:
        replay.resume()
        keeper.wait_rows(before)
        replay.pause()
    path = folder / "test.journal"
    recorder = Recorder(
        path, header(source.description), replay,
        settings=dict, voltages=replay.voltages, passphrase=passphrase,
    )  # fmt: skip
    try:
        yield Recorded(replay, keeper, reader, recorder, path)
    finally:
        replay.close()
        recorder.stop()


def test_the_record_has_every_sample_of_its_time_as_other_readers_have_it(tmp_path: Path) -> None:
    with recorded(tmp_path, before=7) as session:
        session.replay.resume()
        session.play(30)
        session.replay.pause()
        session.replay.resume()
        session.play(25)
        session.replay.close()
        session.recorder.stop()
    log = session.recorder.voltages
    assert log is not None
    assert (log.lost, session.recorder.error) == (0, None)
    before = read_record(session.journal)
    path = finish(session.journal)
    assert list(validate(path=str(path))) == []
    record = read_record(path)
    assert record.voltages == before.voltages
    with NWBHDF5IO(path, "r") as reader:
        nwb = reader.read()
        series = nwb.acquisition["ElectricalSeries"]
        assert (series.rate, series.unit, series.data.dtype) == (SAMPLING_RATE, "volts", np.int16)
        assert series.conversion == pytest.approx(0.25e-6)
        assert (series.data.compression, series.data.shuffle) == ("gzip", True)
        assert series.data.chunks == (10 * BLOCK, N_CHANNELS)
        first = round(series.starting_time * SAMPLING_RATE)
        np.testing.assert_array_equal(series.data[:], session.reader.samples(first, len(series.data)))
        assert len(series.data) == log.n_blocks * BLOCK
        spans = np.array([[first, first + len(series.data)]]) / SAMPLING_RATE
        bins = nwb.processing["ecephys"]["spike_counts"]
        # Within a bin, as blocks are sent before the bin that they are of.
        assert spans[0, 0] == pytest.approx(bins.starting_time, abs=0.0251)
        assert spans[0, 1] == pytest.approx(bins.starting_time + len(bins.data) / 40.0, abs=0.0251)
        assert series.electrodes.data[:].tolist() == list(range(N_CHANNELS))
        names = nwb.electrodes["channel_name"].data[:].tolist()
        assert names == [f"electrode {i}" for i in range(N_CHANNELS)]
        assert {group.device.name for group in nwb.electrodes["group"].data} == {"array"}
        assert "lost_voltages" not in nwb.processing["record"].data_interfaces


def test_a_record_with_voltages_replays_as_one_without(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        session.replay.resume()
        session.play(45)
        session.recorder.stop()
    rows = read_record(session.journal).rows
    replayed = read(finish(session.journal), 40.0)
    np.testing.assert_array_equal(replayed.bins["counts"], rows["counts"])
    np.testing.assert_array_equal(replayed.bins["kinematics"], rows["kinematics"])
    assert replayed.bins["observed"].all()


def test_electrodes_play_the_voltages_of_a_record_to_the_bit(tmp_path: Path) -> None:
    with recorded(tmp_path, before=7) as session:
        session.replay.resume()
        session.play(45)
        session.recorder.stop()
    path = finish(session.journal)
    replayed = read(path, 40.0)
    own = replayed.voltages
    assert own is not None
    assert own.conversion.microvolts_per_count == SETTINGS.microvolts_per_count
    assert own.channel_names == tuple(f"electrode {i}" for i in range(N_CHANNELS))
    signal = Replayed(own, replayed.start_time, replayed.n_bins, 40.0, 1.0)
    piece = signal.read(range(replayed.n_bins))
    signal.close()
    expected = samples_of(path)
    first = round((float(own.stretches.times[0]) - replayed.start_time) * SAMPLING_RATE)
    begin, end = max(first, 0), min(first + len(expected), len(piece.voltages))
    assert end - begin > 40 * 750
    np.testing.assert_array_equal(piece.voltages[begin:end], expected[begin - first : end - first])


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No chunk is written before this is set."""
    may, deflate = threading.Event(), voltages.deflated

    def deflated(samples: Counts16) -> bytes:
        assert may.wait(PATIENCE)
        return deflate(samples)

    monkeypatch.setattr(voltages, "deflated", deflated)
    return may


def test_a_slow_disk_costs_voltages_and_neither_bins_nor_time(
    tmp_path: Path, disk: threading.Event
) -> None:
    with recorded(tmp_path) as session:
        log, replay = session.recorder.voltages, session.replay
        assert log is not None
        replay.resume()
        session.play(120)  # 3 s, of which the ring keeps 1 s
        disk.set()
        session.play(40)
        replay.close()
        session.recorder.stop()
    rows = session.keeper.rows
    assert log.lost > 100
    assert (session.recorder.lost, session.recorder.error) == (0, None)
    assert len(read_record(session.journal).rows) == len(rows)
    path = finish(session.journal)
    kept, samples = read_record(path).voltages, samples_of(path)
    assert kept is not None
    assert sum(stop - start for start, stop in kept.gaps) == log.lost * BLOCK
    expected = session.reader.samples(0, len(samples)).copy()
    for start, stop in kept.gaps:
        expected[start:stop] = 0
    np.testing.assert_array_equal(samples, expected)


def test_at_speed_max_the_replay_waits_for_the_voltages_to_be_written(
    tmp_path: Path, disk: threading.Event
) -> None:
    with recorded(tmp_path, speed="max") as session:
        log, replay = session.recorder.voltages, session.replay
        assert log is not None
        replay.resume()
        wait_until(lambda: log.behind)
        assert session.recorder.floor() <= replay.ring.head - replay.ring.capacity  # so there is no room
        disk.set()
        session.play(400)
        replay.close()
        session.recorder.stop()
    assert log.lost == 0
    kept = read_record(finish(session.journal)).voltages
    assert kept is not None
    assert (kept.first, kept.gaps) == (0, ())
    assert kept.n_samples >= 400 * 750 - BLOCK


@pytest.mark.parametrize("torn", [1, 300, 20_000, 60_000])
def test_a_journal_that_ends_in_the_middle_gives_the_samples_up_to_there(tmp_path: Path, torn: int) -> None:
    journal, ring = tmp_path / "test.journal", Ramp()
    with journal.open("xb") as file:
        log = ring.log(Entries(file))
        for _ in range(20):
            ring.publish(7)
            log.write()
        log.end()
    content = journal.read_bytes()
    assert len(content) > 80_000
    journal.write_bytes(content[:-torn])
    kept = samples_of(finish(journal))
    assert 20 * 7 * BLOCK > len(kept) > 0
    np.testing.assert_array_equal(kept, ring.samples(0, len(kept)))


def test_an_encrypted_record_has_its_voltages_and_none_of_them_in_plain_text(tmp_path: Path) -> None:
    with recorded(tmp_path, "correct horse") as session:
        session.replay.resume()
        session.play(45)
        session.replay.close()
        session.recorder.stop()
    with session.journal.open("rb") as file:
        chunks = [c for name, c in read_entries(file, "test", "correct horse") if name == CHUNK]
    assert len(chunks) > 10
    assert chunks[0][12:212] not in session.journal.read_bytes()
    path = finish(session.journal, "correct horse")
    assert path.name == "test.nwb.enc"
    assert chunks[0][12:212] not in path.read_bytes()
    with h5py.File(unsealed(path, "correct horse")) as file:
        samples = file[DATA][:]
    np.testing.assert_array_equal(samples, session.reader.samples(0, len(samples)))


# What a slow disk does


class Ramp:
    """Voltages by hand: sample i is i on one channel and -i on the other, int16."""

    def __init__(self) -> None:
        self.ring = VoltageRing(2, 0.25, 40.0)
        self._n = 0

    def log(self, entries: Entries) -> VoltageLog:
        entries.append("header", header(small_recording(n_units=2)).to_json().encode())
        return VoltageLog(self.ring, entries, lambda: None)

    def samples(self, first: int, n: int) -> Counts16:
        ramp = np.arange(first, first + n).astype(np.int16)
        return np.column_stack([ramp, -ramp])

    def publish(self, n: int) -> None:
        """So many blocks."""
        for _ in range(n):
            self.ring.add(self.samples(self._n * BLOCK, BLOCK))
            self._n += 1
        n_bins = self._n * BLOCK // 750
        flow = Flow(due=n_bins * 0.025, pace=1.0, unix_offset=0.0, paced=True, flows=True)
        self.ring.publish(math.inf, flow, n_bins)


def samples_of(path: Path) -> Counts16:
    with h5py.File(path) as file:
        found: Counts16 = file[DATA][:]
    return found


def test_blocks_that_were_gone_are_counted_listed_and_blank_and_the_others_keep_their_time(
    tmp_path: Path,
) -> None:
    journal, ring = tmp_path / "test.journal", Ramp()
    with journal.open("xb") as file:
        log = ring.log(Entries(file))
        ring.publish(23)
        log.write()
        ring.publish(257)  # of which the ring keeps 100
        log.write()
        ring.publish(104)
        log.end()
    assert (log.n_blocks, log.lost) == (23 + 100 + 100, 157 + 4)
    lost = [(23 * BLOCK, 180 * BLOCK), (280 * BLOCK, 284 * BLOCK)]
    kept = read_record(journal).voltages
    assert kept is not None
    assert (kept.first, kept.n_samples, kept.gaps) == (0, 384 * BLOCK, tuple(lost))
    path = finish(journal)
    assert read_record(path).voltages == kept
    expected = ring.samples(0, 384 * BLOCK)
    for start, stop in lost:
        expected[start:stop] = 0
    np.testing.assert_array_equal(samples_of(path), expected)
    with NWBHDF5IO(path, "r") as reader:
        table = reader.read().processing["record"]["lost_voltages"]
        np.testing.assert_allclose(table["start_time"].data[:], [0.23, 2.8])
        np.testing.assert_allclose(table["stop_time"].data[:], [1.8, 2.84])
