"""The LSTM: how it cuts its windows, how numpy runs it, and, where PyTorch is there, what it learns."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.decoders import decode
from engine.decoders.base import Training
from engine.decoders.lstm import Lstm, windows
from engine.errors import CannotFit
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, population, r2


def test_every_known_bin_counts_once_and_no_window_leaves_its_stretch():
    lengths = [3, 7, 10, 11, 25]
    age = np.concatenate([np.arange(n) for n in lengths])
    stretch = np.repeat(np.arange(len(lengths)), lengths)
    n = len(age)
    rows = np.setdiff1d(np.arange(n), [4, 30])
    signal = np.column_stack((1.0 + np.arange(n), stretch + 1.0))
    training = Training(signal, signal[:, :1], rows, age, np.full((n, 2), np.nan), stretch)
    inputs, targets, counted = windows(training, signal, signal[:, :1], 10)
    assert inputs.shape == (len(inputs), 10, 2)
    assert sorted(inputs[counted > 0][:, 0] - 1) == rows.tolist()
    np.testing.assert_array_equal(inputs[counted > 0][:, 0], targets[counted > 0][:, 0])
    for window, count in zip(inputs, counted, strict=True):
        inside = window[:, 0] > 0
        assert len(set(window[inside, 1])) == 1
        first = window[0, 0] - 1
        # A window that begins within a stretch has half of itself to find its state.
        assert age[int(first)] == 0 or np.flatnonzero(count)[0] >= 5


def test_without_pytorch_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    data = population(n_trials=5, n_units=5)
    with pytest.raises(CannotFit, match="pip install torch"):
        Lstm(BIN_RATE).fit(data.counts, data.targets, data.starts)


def test_it_learns_what_a_linear_decoder_does_and_the_same_from_the_same_seed():
    pytest.importorskip("torch")
    data = population(n_trials=80, n_units=20)
    split = 60 * TRIAL_BINS
    trained, tested = data[:split], data[split:]
    decoder = Lstm(BIN_RATE, hidden=24, epochs=30, dropout=0.1, learning_rate=1e-2)
    again = Lstm(BIN_RATE, **decoder.settings)
    for each in (decoder, again):
        each.fit(trained.counts, trained.targets, trained.starts)
    predicted = decode(decoder, tested.counts, tested.starts)
    assert r2(tested.targets, predicted) > 0.7
    np.testing.assert_array_equal(decode(again, tested.counts, tested.starts), predicted)


def test_numpy_runs_it_as_pytorch_does():
    torch = pytest.importorskip("torch")
    data = population(n_trials=2, n_units=6)
    decoder = Lstm(BIN_RATE, hidden=5)
    draws = np.random.default_rng(0)
    decoder.active, decoder.mean, decoder.columns = np.arange(6), np.full(6, 0.5), np.arange(4)
    decoder.input_weights = draws.normal(size=(20, 6))
    decoder.state_weights = draws.normal(size=(20, 5))
    decoder.bias = draws.normal(size=20)
    decoder.readout, decoder.readout_bias = draws.normal(size=(4, 5)), draws.normal(size=4)
    network = torch.nn.LSTM(6, 5, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for name in ("input_weights", "state_weights", "bias"):
            theirs = {
                "input_weights": "weight_ih_l0",
                "state_weights": "weight_hh_l0",
                "bias": "bias_ih_l0",
            }
            getattr(network, theirs[name]).copy_(torch.from_numpy(getattr(decoder, name)))
        network.bias_hh_l0.zero_()
        states, _ = network(torch.from_numpy(data.counts[None, :TRIAL_BINS] - 0.5))
    expected = states[0].numpy() @ decoder.readout.T + decoder.readout_bias
    starts = data.starts[:TRIAL_BINS]
    np.testing.assert_allclose(decode(decoder, data.counts[:TRIAL_BINS], starts), expected, rtol=1e-9)
