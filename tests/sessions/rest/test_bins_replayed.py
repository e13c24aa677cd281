"""What ``GET /api/recording/bins.npz`` and ``bins.mat`` give is a recording again, equal to its origin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.sources.recordings.readers import read, read_inspected
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.synthetic import default_recording
from sessions.options import Options
from sessions.rest.library import trial_answer
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import Keeper
from tests.sessions.serving import serving

PATH = "/api/recording/bins.npz"
FILES = pytest.mark.parametrize("file", ["bins.npz", "bins.mat"])


def assert_same_bins(made: Recording, kept: Recording) -> None:
    assert made.counts.dtype == kept.counts.dtype
    for name in ("counts", "observed", "coverage", "kinematics", "trial_time_ms", "trial", "packet_id"):
        np.testing.assert_array_equal(made.bins[name], kept.bins[name], err_msg=name)
    np.testing.assert_array_equal(made.bins["intention"][:, :3], kept.bins["intention"][:, :3])
    np.testing.assert_allclose(  # of positions that are float32 now
        made.bins["intention"][:, 3], kept.bins["intention"][:, 3], rtol=1e-5, atol=1e-4
    )


def assert_same_facts(made: Recording, kept: Recording) -> None:
    for fact in ("bin_rate", "start_time", "channel_names", "length_unit", "synthetic"):
        assert getattr(made, fact) == getattr(kept, fact), fact
    told, were = ([trial_answer(trial).model_dump() for trial in r.trials] for r in (made, kept))
    assert repr(told) == repr(were)  # where NaN is equal to NaN
    assert made.warnings == ()


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return read(default_recording(tmp_path_factory.mktemp("data")), 40.0)


@FILES
def test_a_whole_recording_reads_back_equal(synthetic: Recording, tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    with serving(Store({"kept": synthetic})) as call:
        path.write_bytes(call("GET", f"/api/recording/{file}").content)
    made = read_inspected(path, 40.0)

    assert_same_bins(made, synthetic)
    assert_same_facts(made, synthetic)
    assert made.synthetic
    assert made.trial_tables["taken"]["n_trials"] == len(synthetic.trials)


@FILES
@pytest.mark.parametrize("start_time", [0.0, -1.25, 1000.5])
def test_gaps_and_the_clock_read_back_equal(start_time: float, tmp_path: Path, file: str) -> None:
    kept, path = small_recording(gaps=True, start_time=start_time), tmp_path / file
    with serving(Store({"small": kept})) as call:
        path.write_bytes(call("GET", f"/api/recording/{file}").content)
    made = read(path, 40.0)

    np.testing.assert_array_equal(made.counts, kept.counts)
    np.testing.assert_array_equal(made.kinematics, kept.kinematics)
    np.testing.assert_array_equal(made.observed, kept.observed)
    assert_same_facts(made, kept)


@FILES
def test_a_part_has_its_trials_where_they_were(synthetic: Recording, tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    first, second = (synthetic.trials[row] for row in (2, 5))
    with serving(Store({"kept": synthetic})) as call:
        path.write_bytes(
            call("GET", f"/api/recording/{file}?trial_ids={first.trial_id},{second.trial_id}").content
        )
    made = read(path, 40.0)

    assert [trial.trial_id for trial in made.trials] == [first.trial_id, second.trial_id]
    assert made.centres[0] == synthetic.centres[np.flatnonzero(synthetic.bins["trial"] == 2)[0]]
    for row, trial in enumerate((2, 5)):
        there = made.bins["trial"] == row
        np.testing.assert_array_equal(
            made.counts[there], synthetic.counts[synthetic.bins["trial"] == trial]
        )
    assert not made.observed[made.bins["trial"] == -1].any()


def test_a_session_plays_it(tmp_path: Path) -> None:
    path = tmp_path / "bins.npz"
    with serving(Store({"small": small_recording()})) as call:
        path.write_bytes(call("GET", PATH).content)
    with serving(Store({"bins": read_inspected(path, 40.0)})) as call:
        session = call.store.create(options=Options(speed="max", loop=False))
        keeper = Keeper(session.replay)
        session.replay.start()
        rows = keeper.wait_rows(200)
        np.testing.assert_array_equal(rows["counts"], small_recording().counts)
        assert call("GET", "/api/trials").json["count"] == 4
