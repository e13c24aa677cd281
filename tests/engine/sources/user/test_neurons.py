"""Neurons are what their recording's were: found again where they are known, and drawn as they fired."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.sources.recordings.readers import read
from engine.sources.recordings.synthetic import SEED, default_recording
from engine.sources.recordings.synthetic.population import CEILING, REFERENCE_SPEED, draw_population
from engine.sources.user.fitting import Fit, Fits
from engine.sources.user.neurons import Firing, Neurons
from engine.sources.user.regression import MOST_BINS, Sample, fit
from engine.sources.user.workspace import Workspace
from tests.builders import small_recording
from tests.engine.sources.user.population import DEPTHS, DIRECTIONS, GAIN, LEAD, SPEED, known_population

ROOT = Path(__file__).parents[4]


def fitted(n_bins: int = 6000) -> Neurons:
    recording = known_population(n_bins)
    return fit(Sample.of(recording, Workspace.of(recording)))


@pytest.fixture(scope="module")
def neurons() -> Neurons:
    return fitted()


def degrees_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.degrees(np.abs(np.angle(np.exp(1j * (one - other)))))


def test_what_units_encode_is_found_again_and_that_others_encode_nothing(neurons: Neurons) -> None:
    tuned = DEPTHS > 0
    assert neurons.encode[tuned].all()
    assert neurons.bits_per_spike[~tuned].max() < 0.01 < neurons.bits_per_spike[tuned].min()
    assert np.abs(neurons.lead[tuned] - LEAD).max() <= 1
    assert degrees_between(neurons.directions, DIRECTIONS)[tuned].max() < 5.0
    assert neurons.depths[tuned] == pytest.approx(DEPTHS[tuned] * neurons.fast / SPEED, rel=0.15)


def test_the_default_recordings_generator_is_found_again() -> None:
    """Its rates level off towards a ceiling, so that a depth is less than the weight in its exponent."""
    recording = read(default_recording(ROOT / "data"), 40.0)
    workspace = Workspace.of(recording)
    found = fit(Sample.of(recording, workspace), n_folds=2)
    _, drawn, _ = np.random.default_rng(SEED).spawn(3)
    population = draw_population(drawn)
    x, y = population.movement[:, :2].T
    levelled = 1.0 + population.mean_rate / CEILING
    depths = np.hypot(x, y) * workspace.fast / REFERENCE_SPEED / levelled
    tuned = found.encode
    assert tuned.sum() > 0.9 * len(tuned)
    assert np.median(degrees_between(found.directions, np.arctan2(y, x))[tuned]) < 10.0
    assert found.depths[tuned].sum() == pytest.approx(depths[tuned].sum(), rel=0.15)
    deep = tuned & (depths > np.median(depths))  # of the others, 294 s tell no more
    assert np.median(np.abs(found.depths / depths - 1.0)[deep]) < 0.15
    assert np.median(np.abs(found.lead * 25.0 - population.lead_ms)[tuned]) < 25.0


def test_drawn_counts_have_the_rates_and_the_spread_of_the_recording(neurons: Neurons) -> None:
    recording = known_population()
    rng = np.random.default_rng(1)
    firing = Firing(neurons, rng, dispersed=True)
    velocities = recording.kinematics[LEAD:, 2:].astype(float).tolist()
    drawn = np.array([firing.fire((vx, vy), (0.0, 0.0)) for vx, vy in velocities])
    assert drawn.mean(axis=0) == pytest.approx(recording.counts.mean(axis=0), rel=0.12)
    assert drawn.var(axis=0) == pytest.approx(recording.counts.var(axis=0), rel=0.2)
    assert neurons.dispersion[DEPTHS == 0] == pytest.approx([GAIN] * 3, abs=0.1)
    plain = Firing(neurons, np.random.default_rng(1))
    alone = np.array([plain.fire((0.0, 0.0), (0.0, 0.0)) for _ in range(4000)])[:, DEPTHS == 0]
    assert alone.var(axis=0) == pytest.approx(alone.mean(axis=0), rel=0.1)


def test_no_intention_makes_a_unit_fire_beyond_what_was_seen(neurons: Neurons) -> None:
    firing = Firing(neurons, np.random.default_rng(0))
    counts = np.array([firing.fire((1e5, 0.0), (0.0, 0.0)) for _ in range(500)])
    assert counts.mean(axis=0).max() <= 1.1 * np.exp(neurons.ceiling).max()


def test_units_with_a_shorter_lead_fire_later_for_the_same_intention(neurons: Neurons) -> None:
    n = 3
    quick = replace(
        neurons,
        weights=np.array([[-9.0] * n, [14.0] * n, *[[0.0] * n] * 4]),
        lead=np.array([4, 4, 1]),
        ceiling=np.full(n, 5.0),
        dispersion=np.zeros(n),
        bits_per_spike=np.ones(n),
    )
    firing = Firing(quick, np.random.default_rng(0))
    assert [bool(firing.fire((quick.fast, 0.0), (0.0, 0.0))[2] > 20) for _ in range(6)] == [
        False, False, False, True, True, True,
    ]  # fmt: skip


def test_a_long_recording_is_looked_at_in_whole_trials_all_over() -> None:
    recording = small_recording(n_units=2, n_bins=3 * MOST_BINS, n_trials=1200)
    sample = Sample.of(recording, Workspace.of(recording))
    assert 0.95 * MOST_BINS <= len(sample.counts) <= 1.05 * MOST_BINS
    assert len(np.unique(sample.group)) == 400
    assert sample.follows.sum() == len(sample.counts) - 400


def wait(made: Fit) -> Fit:
    done = threading.Event()
    made.on_done(done.set)
    assert done.wait(60.0)
    return made


def test_a_fit_runs_once_in_a_process_of_its_own_and_is_kept(tmp_path: Path) -> None:
    recording = known_population(1500)
    workspace = Workspace.of(recording)
    fits = Fits(tmp_path / "neurons")
    first = fits.of(recording, workspace)
    assert first.made is None
    assert fits.of(recording, workspace) is first
    found = wait(first).made
    assert found is not None
    assert first.progress == 1.0
    here = fit(Sample.of(recording, workspace))
    assert found.weights == pytest.approx(here.weights)
    fits.close()
    again = Fits(tmp_path / "neurons").of(recording, workspace).made
    assert again is not None
    assert (again.weights == found.weights).all()
    other = known_population(1500, seed=1)
    assert Fits(tmp_path / "neurons").of(other, Workspace.of(other)).made is None


def test_what_cannot_be_fitted_says_why_in_one_line() -> None:
    recording = small_recording(n_bins=40, n_trials=2)
    made = wait(Fits().of(recording, Workspace.of(recording)))
    assert made.made is None
    assert made.error is not None
    assert "bins with known movement to fit neurons to" in made.error


def test_fits_end_with_their_server() -> None:
    recording = known_population(6000, seed=2)
    fits = Fits()
    running = fits.of(recording, Workspace.of(recording))
    fits.close()
    assert wait(running).error is not None
