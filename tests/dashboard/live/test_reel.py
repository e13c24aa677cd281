"""The tape of a recording, and the ways along what is selected of it."""

from __future__ import annotations

import pytest

from dashboard.live.reel import Reel, selected_spans, tape
from engine.bins.selection import EVERYTHING, Selection
from tests.builders import small_recording

GAPS = small_recording(n_bins=400, n_trials=4, gaps=True)
"""A trial every 100 bins, 80 long."""


def test_spans_are_the_stretches_of_selected_bins() -> None:
    recording = small_recording(n_bins=200, n_trials=4)
    assert selected_spans(EVERYTHING, recording) == [[0, 200]]
    assert selected_spans(Selection(trial_ids=(0, 1, 3)), recording) == [[0, 100], [150, 200]]


def test_the_tape_has_every_trial_with_its_bins_and_target() -> None:
    drawn = tape(small_recording(n_bins=200, n_trials=4, gaps=True))
    assert drawn == {
        "n_bins": 200,
        "bin_rate": 40.0,
        "trials": [[0, 0, 40, 0], [1, 50, 90, 1], [2, 100, 140, 2], [3, 150, 190, 0]],
    }


@pytest.mark.parametrize(("bin_", "nearest"), [(0, 100), (150, 150), (190, 179), (299, 300), (399, 379)])
def test_the_nearest_selected_bin(bin_: int, nearest: int) -> None:
    assert Reel(Selection(trial_ids=(1, 3)), GAPS).nearest(bin_) == nearest


def test_bins_between_selected_ones_count_for_nothing() -> None:
    reel = Reel(Selection(trial_ids=(1, 3)), GAPS)
    assert (reel.away(170, 40), reel.away(330, -40), reel.away(110, -40)) == (330, 170, 100)


def test_back_is_first_to_the_beginning_of_a_trial() -> None:
    reel = Reel(Selection(trial_ids=(0, 1, 3)), GAPS)
    assert (reel.trial_away(150, -1), reel.trial_away(110, -1), reel.trial_away(150, 1)) == (100, 0, 300)
    assert (reel.trial_away(350, 1), reel.trial_away(5, -1)) == (300, 0)
