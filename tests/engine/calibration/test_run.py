"""A calibration's numbers are those of anybody who refits with numpy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.calibration.frozen import LEVELS, answers, disturbed
from engine.calibration.run import Fitted, Measured, Plan, calibrate
from engine.calibration.split import Split, check_apart
from engine.decoders import DECODERS
from engine.decoders.bins import Bins
from engine.decoders.store import load
from engine.errors import CannotFit
from tests.engine.calibration.refit import refit
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, population

N_TRIALS, N_TRAIN = 60, 45


def bins(first: int, last: int) -> Bins:
    """Trials of a population that fires with the cursor; one bin of the first trial is not observed."""
    made = population(N_TRIALS)[first * TRIAL_BINS : last * TRIAL_BINS]
    n = len(made.counts)
    observed = np.ones(n, np.bool_)
    observed[7] = False
    start = made.starts.copy()
    start[8] = True
    return Bins(
        counts=np.where(observed[:, None], made.counts, 0).astype(np.uint8),
        kinematics=np.where(observed[:, None], made.targets, np.nan).astype(np.float32),
        target=made.goals,
        packet_id=np.arange(first * TRIAL_BINS, last * TRIAL_BINS, dtype=np.int32),
        trial_id=np.repeat(np.arange(first, last), TRIAL_BINS),
        observed=observed,
        coverage=observed.astype(np.float64),
        start=start,
        channel_names=np.array([f"unit {i}" for i in range(made.counts.shape[1])]),
        bin_rate=BIN_RATE,
        bin_width=1 / BIN_RATE,
        recording="population",
        sha256="0" * 64,
        length_unit="mm",
    )


TRAIN, TEST = bins(0, N_TRAIN), bins(N_TRAIN, N_TRIALS)


def plan(decoder: str, **settings: float) -> Plan:
    split = Split(TRAIN.trials, TEST.trials)
    apart = check_apart(TRAIN, TEST)
    return Plan(
        decoder, settings, 5, "population", "mm", split, (), apart, len(TRAIN.counts), len(TEST.counts)
    )


def run(decoder: str, **settings: float) -> Iterator[Fitted | Measured]:
    return calibrate(plan(decoder, **settings), TRAIN, TEST)


def test_the_table_equals_a_refit_with_numpy_alone():
    _, *tested = run("wiener", lags=4, ridge=10.0)
    r2 = refit(TRAIN, TEST, 4, 10.0, seed=5)
    assert [each.scores.level for each in tested] == list(LEVELS)
    for each, (x, y, vx, vy) in zip(tested, r2.tolist(), strict=True):
        position, velocity = each.scores.r2_position, each.scores.r2_velocity
        assert (position.x, position.y, velocity.x, velocity.y) == pytest.approx((x, y, vx, vy), abs=1e-9)
        assert position.mean == pytest.approx((x + y) / 2, abs=1e-9)
        assert velocity.mean == pytest.approx((vx + vy) / 2, abs=1e-9)
        assert (each.scores.n_bins, each.scores.coverage) == (len(TEST.counts) - 1, 1.0)
    assert r2[0].mean() > r2[-1].mean() + 0.1  # extreme noise hurts


def test_a_population_vector_is_scored_by_the_cursor_that_its_velocity_moves():
    _, clean, *_ = run("population_vector")
    assert np.isfinite([clean.scores.r2_position.mean, clean.scores.r2_velocity.mean]).all()
    decoded = clean.examples[0].decoded
    assert decoded[0] == pytest.approx(clean.examples[0].truth[0])  # where it begins


@pytest.mark.parametrize(
    "key", [key for key, each in DECODERS.items() if each.learned and key not in ("lstm", "gru")]
)
def test_a_frozen_decoder_says_the_same_however_often_it_is_asked_and_after_it_was_saved(key, tmp_path):
    fitted, *_ = run(key)
    assert isinstance(fitted, Fitted)
    path = tmp_path / "model.npz"
    path.write_bytes(fitted.model)
    decoder, trained = load(path)
    assert trained.trials == [*range(N_TRAIN)]
    first = answers(decoder, TEST, "none", 0)
    np.testing.assert_array_equal(answers(decoder, TEST, "none", 0), first)


def test_a_level_is_what_a_session_with_this_seed_does():
    assert np.array_equal(disturbed(TEST, "none", 5), TEST.counts)
    assert np.array_equal(disturbed(TEST, "intense", 5), disturbed(TEST, "intense", 5))
    assert not np.array_equal(disturbed(TEST, "intense", 5), disturbed(TEST, "intense", 6))


def test_examples_are_paths_of_test_trials_to_different_targets():
    _, clean, *others = run("wiener")
    ids = [each.trial_id for each in clean.examples]
    assert len(ids) > 1
    assert set(ids) <= set(range(N_TRAIN, N_TRIALS))
    assert all(not each.examples for each in others)
    assert {each.truth.shape for each in clean.examples} == {(TRIAL_BINS, 2)}


def test_too_little_to_learn_from_is_refused():
    few = bins(0, 1)
    short = Bins(**{**vars(few), "kinematics": np.full_like(few.kinematics, np.nan)})
    with pytest.raises(CannotFit):
        next(calibrate(plan("wiener"), short, TEST))
