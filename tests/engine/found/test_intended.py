"""From an intention to a velocity: the decoded direction is the one that was meant, on average."""

from __future__ import annotations

import io

import numpy as np
import pytest

from engine.calibration.order import fitted
from engine.decoders import decode
from engine.decoders.bins import Bins
from engine.decoders.store import load
from engine.errors import BadSetting
from engine.found.finding import find
from engine.found.intended import Intended
from engine.found.orders import as_found, of_movement
from engine.sources.electrodes.settings import Electrodes
from tests.engine.sources.user.population import known_population

DIRECTIONS = np.radians([0.0, 90.0, 180.0, 270.0])
TIMES = 5


def cosine(seed: int) -> float:
    """Between intentions and the mean velocities that are decoded from what is found for them."""
    recording, electrodes = known_population(1000), Electrodes(n_channels=16, seed=seed)
    order = of_movement(recording, electrodes)
    found = as_found(recording, order, find(order, lambda _: None))
    model = fitted("wiener", '{"lags": 4}', Bins.of(found), lambda _: None)
    decoder, trained = load(io.BytesIO(model))
    assert (trained.n_units, trained.sha256) == (16, found.sha256)
    there = Intended(electrodes, recording.bin_rate)
    wanted = np.stack([np.cos(DIRECTIONS), np.sin(DIRECTIONS)], axis=1)
    starts = np.arange(4) == 0
    decoded = [
        np.mean([decode(decoder, there.counts(each), starts)[-1, 2:] for _ in range(TIMES)], axis=0)
        for each in wanted
    ]
    return float(np.mean([d @ w / np.hypot(*d) for d, w in zip(decoded, wanted, strict=True)]))


def test_decoded_velocities_point_where_the_intention_does() -> None:
    assert np.mean([cosine(seed) for seed in range(3)]) > 0.8


def test_an_intention_lasts_100_ms_and_may_be_one_for_each_channel() -> None:
    there = Intended(Electrodes(n_channels=5, baseline=(40.0, 50.0), modulation=1.0), 40.0)
    counts = np.array([there.counts([1.0, 0.0, 0.0, 0.0, -1.0]) for _ in range(10)])
    assert counts.shape == (10, 4, 5)
    rates = counts.sum(axis=(0, 1))
    assert rates[0] > rates[4]
    assert rates[4] <= 5  # its units are silent, noise is not
    with pytest.raises(BadSetting, match="one for each of 5 channels"):
        there.counts([1.0, 0.0, 0.0])
