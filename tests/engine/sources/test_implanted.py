"""A simulated user whose spikes are found at electrodes: the closed loop and the voltages below are one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from engine.bins.schema import Rows
from engine.bins.source import Sampled
from engine.broadband import TROUGH
from engine.deck.replay import Replay
from engine.errors import BadSetting
from engine.sources.electrodes.implant import Implant, implant_of
from engine.sources.electrodes.settings import Electrodes
from engine.sources.implanted import ImplantedUser
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.workspace import Basis
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from tests.engine.listening import wait_until
from tests.engine.sources.user.closed_loop import a_loop, fits_of, recording, run

LOUD = {"n_channels": 12, "amplitude": (100.0, 120.0)}
"""Spikes large enough that few are missed, however many units there are on a channel."""
N = 200


@contextmanager
def at_electrodes(seed: int = 0, **settings: object) -> Iterator[Replay]:
    known = recording()
    loop, basis = ClosedLoop(lockstep=True, seed=seed), Basis.of(known)
    made = Electrodes(**{**LOUD, "seed": seed, **settings})
    detect = partial(Detector, made.n_channels, made.microvolts_per_count, engine="scipy")
    implant = Implant(known, None, made, Detection(), detect, "scipy")
    source = ImplantedUser(basis, loop, partial(fits_of(known).of, known, basis.workspace), implant)
    wait_until(lambda: source.ready(0) == 0 and source._signal is not None)
    replay = Replay(source, seed=seed, speed="max")
    try:
        yield replay
    finally:
        replay.close()


def without() -> Rows:
    replay = a_loop(seed=0)
    try:
        return run(replay, N)
    finally:
        replay.close()


def test_what_is_found_is_what_the_users_neurons_fired() -> None:
    plain = without()
    with at_electrodes() as replay:
        rows = run(replay, N)
        true, _ = replay.source.troughs.between(0, replay.source.voltages.edge(N) + TROUGH)
    n_channels, n_units = LOUD["n_channels"], plain["counts"].shape[1]
    fired = np.zeros((N, n_channels), int)
    for unit in range(n_units):
        fired[:, unit % n_channels] += plain["counts"][:, unit]

    assert rows["kinematics"].tobytes() == plain["kinematics"].tobytes()  # answers are the intention
    assert len(true.samples) == fired.sum()
    edges = [replay.source.voltages.edge(number) for number in range(N + 1)]
    begun, _, _ = np.histogram2d(true.samples - TROUGH, true.channels, [edges, np.arange(n_channels + 1)])
    assert (begun == fired).all()  # where a spike begins is within its bin
    known = rows["counts"][20:]  # the noise is known by then
    correlation = np.corrcoef(known.sum(axis=1), fired[20:].sum(axis=1))[0, 1]
    assert 0.8 < known.sum() / fired[20:].sum() < 1.05
    assert correlation > 0.9


def test_same_seed_and_answers_are_the_same_run_and_others_are_not() -> None:
    runs = []
    for seed in (3, 3, 4):
        with at_electrodes(seed) as replay:
            runs.append(run(replay, N)["counts"].tobytes())
    assert runs[0] == runs[1] != runs[2]


def test_it_is_a_closed_loop_with_voltages_that_can_be_tuned() -> None:
    with at_electrodes() as replay:
        source = replay.source
        assert isinstance(source, Sampled)
        assert source.kind == "user"
        assert {"drive", "tune"} <= set(source.can)
        assert source.description.channel_names == implant_of(source).channel_names
        assert source.description.n_units == LOUD["n_channels"]
        replay.tune("electrodes", {"dead": [0]})
        counts = run(replay, N)["counts"]
        assert 10 * counts[20:, 0].sum() < counts[20:, 1].sum()  # a few are noise
        with pytest.raises(BadSetting, match="Unknown channel 99"):
            replay.tune("electrodes", {"dead": [99]})
