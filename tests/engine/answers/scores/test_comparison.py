"""Intervals over trials and paired tests, beside what scipy and textbooks say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from engine.answers.scores.comparison import Estimate, compare, estimate
from engine.answers.scores.offline import rescore
from engine.answers.scores.sent import Reference
from engine.answers.scores.summary import TrialScore
from engine.bins.schema import Rows
from tests.builders import small_recording
from tests.engine.answers.scores.answering import answers, sent

RECORDING = small_recording(n_bins=2000, n_trials=40)


def trials_of(*lines: Rows) -> dict[str, Sequence[TrialScore]]:
    """What decoders a, b, ... scored, given their answers to the whole recording."""
    rows = sent(RECORDING, range(2000))
    log = np.concatenate(lines)
    log = log[np.argsort(log["sequence_number"], kind="stable")]
    scored = rescore(rows, log, list("abc"[: len(lines)]), Reference.of(RECORDING), radius=10.0)
    return {name: summary.trials for name, summary in scored.items()}


def values_of(trials: Sequence[TrialScore]) -> np.ndarray:
    return np.array([trial.measures.rmse_position for trial in trials])


def test_an_interval_over_trials_is_that_of_scipy() -> None:
    values = values_of(trials_of(answers(sent(RECORDING, range(2000)), noise=5.0))["a"])
    found = estimate(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.n_trials == len(values) >= 38
    theirs = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(1))
    low, high = theirs.confidence_interval
    spread = high - low
    assert found.low == pytest.approx(low, abs=spread / 10)
    assert found.high == pytest.approx(high, abs=spread / 10)
    assert estimate(values) == found  # seeded


@pytest.mark.parametrize("n", [0, 1, 4])
def test_few_trials_have_no_interval(n: int) -> None:
    found = estimate([2.0] * n + [np.nan])
    assert found.n_trials == n
    np.testing.assert_equal([found.low, found.high], [np.nan, np.nan])
    np.testing.assert_equal(found.mean, 2.0 if n else np.nan)


def test_a_better_decoder_is_told_from_a_worse_one() -> None:
    rows = sent(RECORDING, range(2000))
    trials = trials_of(answers(rows, noise=5.0), answers(rows, 6.0, decoder=1, seed=1))
    (pair,) = compare(trials, "rmse_position")
    differences = values_of(trials["a"]) - values_of(trials["b"])
    assert (pair.one, pair.other, pair.difference.n_trials) == ("a", "b", len(differences))
    assert pair.difference.mean == pytest.approx(differences.mean())
    assert pair.difference.high < 0
    assert pair.p_value == pytest.approx(stats.wilcoxon(differences).pvalue, rel=1e-9)
    assert pair.p_value < 0.001


def test_wilcoxon_of_five_trials_that_agree_is_a_sixteenth() -> None:
    rows = sent(RECORDING, range(2000))
    trials = {
        name: found[:5] for name, found in trials_of(answers(rows), answers(rows, 6.0, decoder=1)).items()
    }
    (pair,) = compare(trials, "rmse_position")
    assert pair.p_value == 2 / 2**5


def test_only_trials_of_which_both_answered_every_bin_are_common() -> None:
    rows = sent(RECORDING, range(2000))
    late = answers(rows, 6.0, decoder=1)[700:]
    gone = np.flatnonzero(late["sequence_number"] == 1210)
    trials = trials_of(answers(rows, 5.0), np.delete(late, gone))
    (pair,) = compare(trials, "rmse_position")
    begins = {trial.sequence_number for trial in trials["b"] if not trial.measures.missing}
    whole = {trial.sequence_number for trial in trials["a"]} & begins
    assert pair.difference.n_trials == len(whole) < len(trials["b"]) < len(trials["a"])


def test_a_decoder_differs_not_from_itself() -> None:
    rows = sent(RECORDING, range(2000))
    trials = trials_of(answers(rows, 5.0), answers(rows, 5.0, decoder=1))
    (pair,) = compare(trials, "rmse_position")
    assert pair.difference == Estimate(0.0, 0.0, 0.0, len(trials["a"]))
    assert pair.p_value == 1.0
