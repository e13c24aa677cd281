"""Recurrent networks: how streams are cut, how numpy runs them, and what they learn with PyTorch."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.decoders import decode, make_decoder
from engine.decoders.gru import Gru
from engine.decoders.lstm import Lstm
from engine.decoders.recurrent import Recurrent
from engine.errors import CannotFit
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, population, r2

NETWORKS = (Lstm, Gru)
QUICK = {"hidden": 24, "epochs": 25, "dropout": 0.1, "learning_rate": 1e-2, "batch": 8, "decay": 1e-3}


def test_lanes_share_out_the_stream_with_gaps_and_go_on_from_chunk_to_chunk():
    chunks = Lstm(BIN_RATE, window=7, batch=4)._chunks(400, np.random.default_rng(0))
    lanes = np.concatenate(chunks, axis=1)
    assert all(chunk.shape[1] <= 7 for chunk in chunks)
    steps = np.diff(lanes, axis=1) % 400
    assert len(np.unique(lanes)) == lanes.size < 400
    assert (steps == 1).mean() > 0.9
    assert steps.max() > 1


@pytest.mark.parametrize("network", NETWORKS)
def test_without_pytorch_it_says_how_to_get_it(network: type[Recurrent], monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    data = population(n_trials=5, n_units=5)
    with pytest.raises(CannotFit, match="pip install torch"):
        network(BIN_RATE).fit(data.counts, data.targets, data.starts)


def test_too_short_a_stream_is_refused():
    pytest.importorskip("torch")
    data = population(n_trials=2, n_units=5)
    with pytest.raises(CannotFit, match="needs 100 bins at least, not 60"):
        Gru(BIN_RATE).fit(data.counts, data.targets, data.starts)


@pytest.mark.parametrize("network", NETWORKS)
def test_it_learns_what_a_linear_decoder_does_and_the_same_from_the_same_seed(network: type[Recurrent]):
    pytest.importorskip("torch")
    data = population(n_trials=80, n_units=20)
    split = 60 * TRIAL_BINS
    trained, tested = data[:split], data[split:]
    decoder, again = network(BIN_RATE, **QUICK), network(BIN_RATE, **QUICK)
    for each in (decoder, again):
        each.fit(trained.counts, trained.targets, trained.starts)
    never = np.arange(len(tested.counts)) == 0
    predicted = decode(decoder, tested.counts, never)
    assert r2(tested.targets, predicted) > 0.7
    np.testing.assert_array_equal(decode(again, tested.counts, never), predicted)


@pytest.mark.parametrize("network", NETWORKS)
def test_it_does_not_learn_how_long_a_trial_has_lasted(network: type[Recurrent]):
    """Counts tell nothing here, the time since a reset would tell all, and it is reset at trial starts."""
    pytest.importorskip("torch")
    phase = np.linspace(-1, 1, TRIAL_BINS)
    targets = np.tile(np.column_stack((phase, -phase, phase**2, 1 - phase**2)), (60, 1))
    counts = np.random.default_rng(0).poisson(1.0, (len(targets), 6))
    starts = np.arange(len(targets)) % TRIAL_BINS == 0
    decoder = network(BIN_RATE, **QUICK | {"epochs": 8})
    decoder.fit(counts, targets, starts)
    assert r2(targets, decode(decoder, counts, starts)) < 0.4


@pytest.mark.parametrize("network", NETWORKS)
def test_numpy_runs_it_as_pytorch_does(network: type[Recurrent]):
    torch = pytest.importorskip("torch")
    data = population(n_trials=2, n_units=6)
    decoder = make_decoder(network.key, BIN_RATE)
    draws = np.random.default_rng(0)
    decoder.active, decoder.mean, decoder.columns = np.arange(6), np.full(6, 0.5), np.arange(4)
    decoder.readout, decoder.readout_bias = draws.normal(size=(4, 5)), draws.normal(size=4)
    cell = getattr(torch.nn, network.cell)(6, 5, batch_first=True, dtype=torch.float64)
    decoder._take({name: value.detach().numpy() for name, value in cell.named_parameters()})
    with torch.no_grad():
        states, _ = cell(torch.from_numpy(data.counts[None, :TRIAL_BINS] - 0.5))
    expected = states[0].numpy() @ decoder.readout.T + decoder.readout_bias
    starts = data.starts[:TRIAL_BINS]
    np.testing.assert_allclose(decode(decoder, data.counts[:TRIAL_BINS], starts), expected, rtol=1e-9)
