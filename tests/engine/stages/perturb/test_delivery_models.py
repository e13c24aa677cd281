"""Which packets are lost, and how long others are held back, against the formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from tests.engine.stages.perturb.disturbing import delivered

N = 200_000


def lost(n: int = N, first: int = 0, seed: int = 1, **values: float) -> npt.NDArray[np.bool_]:
    settings: dict[str, Any] = {"lost_packets": {"enabled": True, **values}}
    return delivered(n, settings, seed=seed, first=first, n_units=1)["lost"]


def delays(n: int = N, **values: float) -> npt.NDArray[np.float32]:
    """Milliseconds."""
    settings: dict[str, Any] = {"jitter": {"enabled": True, **values}}
    return delivered(n, settings, n_units=1)["delay"] * 1000


def bursts(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Lengths of the runs of lost packets."""
    edges = np.flatnonzero(np.diff(flags.astype(int), prepend=0, append=0))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize("probability", [0.01, 0.3])
def test_without_bursts_losses_are_independent(probability: float) -> None:
    flags = lost(probability=probability)
    n_lost = int(flags.sum())
    after_loss = flags[1:][flags[:-1]]

    assert stats.binomtest(n_lost, N, probability).pvalue > 0.001
    assert stats.binomtest(int(after_loss.sum()), len(after_loss), probability).pvalue > 0.001


@pytest.mark.parametrize(("probability", "burst"), [(0.05, 4.0), (0.2, 10.0), (0.5, 3.0)])
def test_bursts_have_their_mean_length_and_leave_the_probability_as_it_is(
    probability: float, burst: float
) -> None:
    flags = lost(probability=probability, burst=burst)
    lengths = bursts(flags)
    # Burst lengths are geometric, with an sd below their mean; five standard errors. The fraction of a
    # two-state chain varies as if it had fewer draws, by a factor of (2 - renewal) / renewal.
    renewal = 1 / (burst * (1 - probability))
    spread = np.sqrt(probability * (1 - probability) / N * (2 - renewal) / renewal)

    assert lengths.mean() == pytest.approx(burst, abs=5 * burst / np.sqrt(len(lengths)))
    assert flags.mean() == pytest.approx(probability, abs=5 * spread)


def test_burst_lengths_are_geometric() -> None:
    lengths = bursts(lost(probability=0.1, burst=3.0))
    found = np.bincount(np.minimum(lengths, 12), minlength=13)[1:]
    law = stats.geom(1 / 3)
    expected = len(lengths) * np.append(law.pmf(np.arange(1, 12)), law.sf(11))

    assert stats.chisquare(found, expected, sum_check=False).pvalue > 0.001


@pytest.mark.parametrize("burst", [1.0, 1000.0])
def test_the_ends_of_the_probability_are_never_and_always(burst: float) -> None:
    assert not lost(5000, probability=0.0, burst=burst).any()
    assert lost(5000, probability=1.0, burst=burst).all()


def test_the_first_packet_is_as_likely_to_be_lost_as_any() -> None:
    n_seeds = 500
    first = sum(bool(lost(1, seed=seed, probability=0.3, burst=50.0)[0]) for seed in range(n_seeds))

    assert stats.binomtest(first, n_seeds, 0.3).pvalue > 0.001


@pytest.mark.parametrize("first", [1, 64, 777, 150_000])
def test_a_burst_goes_on_for_who_looks_only_now(first: int) -> None:
    values = {"probability": 0.5, "burst": 500.0}
    np.testing.assert_array_equal(lost(1000, first, **values), lost(first + 1000, **values)[first:])


@pytest.mark.parametrize("sd", [2.0, 20.0])
def test_delays_are_half_normal(sd: float) -> None:
    found = delays(20_000, sd=sd, longest=500.0)

    assert stats.kstest(found, stats.halfnorm(scale=sd).cdf).pvalue > 0.001
    assert found.mean() == pytest.approx(sd * np.sqrt(2 / np.pi), rel=0.02)


def test_delays_end_at_the_longest() -> None:
    found = delays(20_000, sd=50.0, longest=60.0)
    share = 2 * stats.norm.sf(60 / 50)

    assert found.max() == pytest.approx(60.0)
    assert stats.binomtest(int((found > 59.999).sum()), 20_000, share).pvalue > 0.001
