"""A block of a closed loop gives what decoders saw, turned towards what must have been wanted."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from engine.bins.schema import Rows, row_dtype
from engine.calibration.block import block_bins, whole_trials
from engine.deck.replay import Replay
from engine.decoders import make_decoder
from engine.decoders.refit import intended
from engine.errors import EmptySelection
from tests.builders import small_recording
from tests.engine.sources.user.closed_loop import a_loop, run


def erring(row: np.void, draws: np.random.Generator) -> tuple[float, float, float, float]:
    """What was wanted, with errors that often lead away."""
    vx, vy = (row["intended"] + 300.0 * draws.standard_normal(2)).tolist()
    return math.nan, math.nan, vx, vy


@pytest.fixture(scope="module")
def block() -> tuple[Rows, Replay]:
    replay = a_loop(seed=5, task={"hold": 0.1})
    rows = run(replay, 900, partial(erring, draws=np.random.default_rng(0)))
    replay.close()
    assert len(replay.description.trials) > 4
    return rows, replay


def test_only_trials_that_have_ended_and_miss_no_bin_are_learned_from(block):
    rows, replay = block
    last = int(rows["trial"][-1])
    assert whole_trials(rows, replay.description) == tuple(range(last))
    assert whole_trials(rows[3:], replay.description) == tuple(range(1, last))
    without = np.delete(rows, np.flatnonzero(rows["trial"] == 2)[4])
    assert whole_trials(without, replay.description) == (0, 1, *range(3, last))
    bins = block_bins(rows[3:], replay.description, 1.0)
    assert bins.trials == tuple(range(1, last)) == tuple(bins.trial_table["trial_id"])
    assert (bins.packet_id == rows["packet_id"][(rows["trial"] >= 1) & (rows["trial"] < last)]).all()


def test_a_trial_that_was_given_up_is_not_learned_from():
    replay = a_loop(seed=5)
    replay.source.rewind()
    rows = run(replay, 30)
    replay.close()
    with pytest.raises(EmptySelection, match="None of 30 bins is of a trial that is whole"):
        block_bins(rows, replay.description, 1.0)


def test_velocities_lead_to_the_target_at_the_cursors_speed_and_rest_within_it(block):
    rows, replay = block
    bins = block_bins(rows, replay.description, 1.0)
    cursor = rows["kinematics"][: len(bins.counts)]
    way, wanted = bins.target - cursor[:, :2], bins.kinematics[:, 2:]
    outside = np.hypot(*way.T) > replay.description.goal.radius
    away = (cursor[:, 2:] * way).sum(axis=1) < 0
    assert 0 < outside.mean() < 1
    assert (away & outside).sum() > 20
    assert (wanted[~outside] == 0).all()
    speed = np.hypot(*cursor[outside, 2:].T)
    direction = way[outside] / np.hypot(*way[outside].T)[:, None]
    np.testing.assert_allclose(wanted[outside], speed[:, None] * direction, rtol=1e-4, atol=1e-3)
    assert (bins.kinematics[:, :2] == cursor[:, :2]).all()


def test_speeds_are_those_that_a_decoder_answers_before_the_steerings_gain(block):
    rows, replay = block
    plain, bins = (block_bins(rows, replay.description, gain).kinematics for gain in (1.0, 0.5))
    assert (bins[:, :2] == plain[:, :2]).all()
    np.testing.assert_allclose(bins[:, 2:], 2 * plain[:, 2:], rtol=1e-6)


def test_refit_does_not_turn_them_once_more(block):
    rows, replay = block
    bins = block_bins(rows, replay.description, 1.0)
    again = intended(bins.kinematics, bins.target, replay.description.goal.radius)
    np.testing.assert_allclose(again, bins.kinematics, rtol=1e-4, atol=1e-3)


def test_counts_are_those_that_were_sent_and_what_was_lost_is_left_out(block):
    rows, replay = block
    sent = rows.copy()
    sent["counts"] = rows["counts"] + 1  # as something that disturbs would have it
    sent["lost"][[7, 8]] = True
    bins = block_bins(sent, replay.description, 1.0)
    seen = np.delete(sent[: len(bins.counts) + 2], [7, 8])
    assert (bins.counts == seen["counts"]).all()
    assert bins.start[7]
    assert not bins.start[8]


def test_each_trial_begins_a_stretch(block):
    rows, replay = block
    bins = block_bins(rows, replay.description, 1.0)
    assert (np.flatnonzero(bins.start) == np.flatnonzero(np.diff(bins.trial_id, prepend=-1))).all()


@pytest.mark.parametrize("decoder", ["refit", "wiener"])
def test_a_decoder_learns_from_a_block_which_way_was_wanted(block, decoder):
    rows, replay = block
    bins = block_bins(rows, replay.description, 1.0)
    made = make_decoder(decoder, bins.bin_rate, {})
    bins.teach(made)
    answers = np.array([made.predict(counts)[2:] for counts in bins.counts])
    moving = np.hypot(*bins.kinematics[:, 2:].T) > 0
    cosine = (answers * bins.kinematics[:, 2:]).sum(axis=1)[moving]
    assert np.mean(cosine > 0) > 0.7


def test_a_replay_has_no_block():
    recording = small_recording()
    rows = np.zeros(3, row_dtype(recording.n_units))
    with pytest.raises(EmptySelection, match=r"is no closed loop\. Make a session with the source user"):
        block_bins(rows, recording, 1.0)
