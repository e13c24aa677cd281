"""Runs of a comparison: the same for the same seed, as many trials as asked for, and nothing that hangs."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from engine.bins.schema import Rows
from engine.comparison.lockstep import Values, bins, trials
from engine.comparison.runs import Condition, perfect, run
from engine.comparison.table import CLOSED
from engine.errors import BadSetting, NotNow
from tests.engine.comparison.benches import a_bench

FIELDS = ("sequence_number", "counts", "kinematics", "intention", "intended", "trial")


def rows_of(seed: int, n: int = 300, **perturbation: Any) -> Rows:
    bench = a_bench()
    loop = bins(bench.source("skilled", seed), perfect(bench, seed), seed, perturbation)
    return np.concatenate([row.copy() for row in islice(loop, n)])


def test_a_seed_is_a_run_and_another_one_is_another() -> None:
    one, same, other = (rows_of(seed) for seed in (3, 3, 4))
    assert all((one[name] == same[name]).all() for name in FIELDS)
    assert (one["counts"] != other["counts"]).any()


def test_runs_of_one_seed_have_the_same_targets_and_the_same_perturbation_whoever_drives() -> None:
    bench = a_bench()
    targets = []
    for gain in (0.3, 0.6):
        source = a_bench(steering={"gain": gain}).source("skilled", 5)
        trials(bins(source, perfect(bench, 5)), source, 8)
        targets.append([trial.target_id for trial in source.description.trials[:8]])
    assert targets[0] == targets[1]
    assert sorted(targets[0]) == list(range(8))


def test_perturbations_act_and_a_lost_bin_is_not_awaited() -> None:
    plain = rows_of(0)
    noisy = rows_of(0, noise={"enabled": True, "sd": 1.0})
    assert (noisy["counts"] != plain["counts"]).any()
    assert (noisy["intended"] == plain["intended"]).all()  # the driver does not look at counts
    lost = rows_of(0, lost_packets={"enabled": True, "probability": 0.3})
    assert 50 < lost["lost"].sum() < 150


def test_a_run_has_the_trials_that_were_asked_for_and_their_scores() -> None:
    bench = a_bench(["wiener"], n_trials=3)
    scores = run(bench, Condition("wiener", "skilled", "none"), 0)
    assert scores.n_trials == 3
    assert all(np.isfinite(getattr(scores, name)) for name in CLOSED)
    assert repr(scores) == repr(run(bench, Condition("wiener", "skilled", "none"), 0))  # with its NaN


def test_a_decoder_that_does_not_answer_ends_the_run_with_a_reason() -> None:
    def silent(_: np.void) -> Values:
        return (np.nan,) * 4

    with pytest.raises(NotNow, match="for ever for the answer of driver to bin 0"):
        list(islice(bins(a_bench().source("skilled", 0), silent), 2))


def test_what_a_task_cannot_be_is_refused() -> None:
    with pytest.raises(BadSetting, match="Unknown setting 'size'"):
        a_bench(task={"size": 1.0}).source("skilled", 0)
