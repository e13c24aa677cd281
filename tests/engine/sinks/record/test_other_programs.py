"""Records in other people's programs: their units have as many spikes in each bin as were sent."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pynwb import NWBHDF5IO

from engine.sinks.record.blocks import Blocks
from engine.sinks.record.nwb import to_nwb
from engine.sinks.record.spikes import spike_times
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from tests.builders import play, small_recording
from tests.engine.sinks.record.test_nwb import record_of
from tests.nwb_builders import save

Counts = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counts]:
    """Four trials as they were sent, with two packets lost, and their counts."""
    rows = play(small_recording(), range(200))
    rows["lost"][[10, 11]] = True
    path = save(to_nwb(record_of(small_recording(), rows)), tmp_path_factory.mktemp("r") / "record.nwb")
    return path, np.where(rows["lost"][:, None], 0, rows["counts"])


@pytest.fixture(autouse=True)
def their_warnings() -> Iterator[None]:
    """Those of other programs are theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def binned(trains: list[npt.NDArray[np.float64]]) -> Counts:
    return np.array([np.histogram(train, np.arange(201) / 40)[0] for train in trains], np.uint8).T


def whole(
    found: tuple[Blocks, npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    blocks, ends = found
    times = np.concatenate([np.empty(0), *(block.data for block in blocks)])
    assert len(times) == len(blocks)
    return times, ends


def test_spikes_are_spaced_evenly_within_their_bin() -> None:
    times, ends = whole(spike_times(np.array([[2, 0], [0, 0], [1, 4]], np.uint8), None, 10, 10.0))

    assert ends.tolist() == [3, 7]
    np.testing.assert_allclose(times, [1.025, 1.075, 1.25, 1.2125, 1.2375, 1.2625, 1.2875])


@pytest.mark.parametrize("seed", range(5))
def test_every_bin_has_the_spikes_that_it_counted(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.poisson(random.choice([0.1, 3.0, 200.0]), (50, 4)).astype(np.uint16)
    first, rate = int(random.integers(0, 10**6)), float(random.choice([40.0, 1000.0, 100 / 3]))
    times, ends = whole(spike_times(counts, None, first, rate))

    for unit, train in enumerate(np.split(times, ends[:-1])):
        assert (np.diff(train) > 0).all()
        found = np.bincount((np.floor(train * rate) - first).astype(int), minlength=50)
        np.testing.assert_array_equal(found, counts[:, unit])


def test_units_say_to_what_their_times_are_known_and_when_they_were_observed(
    record: tuple[Path, Counts],
) -> None:
    path, counts = record
    with NWBHDF5IO(path, "r") as reader:
        nwb = reader.read()
        assert nwb.units.resolution == 1 / 40
        assert len(nwb.invalid_times) == 1
        assert nwb.units["unit_name"].data[:].tolist() == [f"unit {unit}" for unit in range(5)]
        np.testing.assert_allclose(nwb.units["obs_intervals"][0], [[0, 5.0]])
        np.testing.assert_array_equal(binned([nwb.units["spike_times"][i] for i in range(5)]), counts)
        series = nwb.processing["behavior"]["cursor_pos"]
        assert (series.rate, series.starting_time, series.timestamps) == (40.0, 0.0125, None)


def test_a_record_replays_by_its_counts(record: tuple[Path, Counts]) -> None:
    path, counts = record
    recording: Recording = read(path, 40.0)

    np.testing.assert_array_equal(recording.counts, counts)
    assert recording.channel_names == tuple(f"unit {unit}" for unit in range(5))
    assert recording.warnings == ()


def test_spikeinterface_reads_a_records_units(record: tuple[Path, Counts]) -> None:
    from spikeinterface.extractors import read_nwb_sorting

    path, counts = record
    sorting = read_nwb_sorting(path)
    trains = [sorting.get_unit_spike_train(unit, return_times=True) for unit in sorting.unit_ids]
    np.testing.assert_array_equal(binned(trains), counts)


def test_pynapple_reads_a_records_units_and_kinematics(record: tuple[Path, Counts]) -> None:
    import pynapple

    path, counts = record
    found = pynapple.load_file(str(path))
    np.testing.assert_array_equal(binned([found["units"][unit].t for unit in range(5)]), counts)
    np.testing.assert_allclose(found["cursor_pos"].t, (np.arange(200) + 0.5) / 40)
    assert len(found["trials"]) == 4


def test_neo_reads_a_records_units(record: tuple[Path, Counts]) -> None:
    from neo.io import NWBIO

    path, counts = record
    (block,) = NWBIO(str(path), mode="r").read_all_blocks()
    trains = [train.rescale("s").magnitude for segment in block.segments for train in segment.spiketrains]
    np.testing.assert_array_equal(binned(trains), counts)
