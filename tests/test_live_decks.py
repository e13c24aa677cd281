"""A deck that plays what another one sends by LSL: the same bins, over a restart of the first."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from engine.bins.schema import Rows
from engine.bins.trials import EVENT_NAMES
from engine.deck.happenings import Happening
from engine.sources.live_lsl.source import live_lsl
from engine.sources.recordings.events import trial_events
from sessions.options import Options
from sessions.sources import Sources
from sessions.store import Store
from tests.engine.listening import PATIENCE, Keeper, wait_until
from tests.live_deck import ROOT, played, rows_of

PERIOD = 0.025
SETTLED = 3.0
"""Seconds after which all streams of a deck that has just started are listened to."""
CUT = 0.5
"""Seconds before a deck was killed: of the last bins the counts alone may have gone out."""


@contextmanager
def deck(code: str, path: Path) -> Iterator[None]:
    """Another process that plays, until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.live_deck", code, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


def wait_rows(keeper: Keeper, seconds: float) -> None:
    """Until so many seconds of bins have come that were observed."""
    had = np.count_nonzero(keeper.rows["observed"])
    until = time.monotonic() + seconds + PATIENCE
    while np.count_nonzero(keeper.rows["observed"]) < had + seconds / PERIOD:
        assert time.monotonic() < until
        time.sleep(min(seconds, 1.0) / 4)


@pytest.mark.parametrize(
    "seconds", [2.0, pytest.param(300.0, marks=pytest.mark.slow)], ids=["10 s", "10 min"]
)
def test_a_deck_fed_by_another_sends_the_same_over_a_restart_of_it(tmp_path: Path, seconds: float) -> None:
    code = f"up-{uuid.uuid4().hex[:8]}"
    store = Store({"small": played()}, sources=Sources({"lsl": live_lsl}))
    runs = [tmp_path / "first", tmp_path / "second"]
    with deck(code, runs[0]):
        session = store.create("down", Options(source=f"lsl:PhantomLink-Neural-{code}"))
        keeper = Keeper(session.replay)
        session.replay.resume()
        wait_rows(keeper, SETTLED + seconds)
    wait_until(lambda: not keeper.rows["observed"][-1])
    with deck(code, runs[1]):
        wait_rows(keeper, SETTLED + seconds)
    store.close()
    received = keeper.rows
    assert keeper.lost == 0
    assert (np.diff(received["sequence_number"]) == 1).all()
    np.testing.assert_array_equal(received["packet_id"], received["sequence_number"])
    assert (np.diff(received["due"]) > 0).all()
    trial_ids = np.array([*session.description.trial_ids, -1])
    happened, _ = session.replay.happenings.since(0)
    told = 0
    for run in runs:
        told += same_where_observed(received, rows_of(run), trial_ids)
        same_events(happened, rows_of(run), seconds)
    observed = received["observed"]
    assert told == np.count_nonzero(observed)  # every bin comes from one of the two
    gone = received[~observed]
    assert len(gone) > 10
    assert not gone["counts"].any()
    assert np.isnan(gone["kinematics"]).all()
    assert (gone["trial"] == -1).all()
    # While the first is away the bins go on at their rate.
    np.testing.assert_allclose(np.diff(gone["due"])[5:-5], PERIOD, atol=PERIOD / 2)


def same_where_observed(received: Rows, sent: Rows, trial_ids: np.ndarray) -> int:
    """Compare what came of one run, joined by time stamps; return how many bins there were of it."""
    inside = (received["due"] > sent["due"][0] - PERIOD) & (received["due"] < sent["due"][-1] + PERIOD)
    ours = received[inside & received["observed"]]
    at = np.searchsorted(sent["due"], ours["due"] - PERIOD / 2)
    theirs = sent[at]
    np.testing.assert_allclose(ours["due"], theirs["due"], atol=PERIOD / 5)
    assert (np.diff(at) == 1).all()  # none is missing between the first and the last, and none comes twice
    assert len(ours) > 0.95 * len(sent) - SETTLED / PERIOD
    np.testing.assert_array_equal(ours["counts"], theirs["counts"])
    settled = (ours["due"] > ours["due"][0] + SETTLED) & (ours["due"] < ours["due"][-1] - CUT)
    ours, theirs = ours[settled], theirs[settled]  # what comes beside the counts
    np.testing.assert_array_equal(ours["kinematics"], theirs["kinematics"])
    np.testing.assert_array_equal(trial_ids[ours["trial"]], theirs["trial"])
    np.testing.assert_array_equal(ours["intention"][:, :3], theirs["intention"][:, :3])
    np.testing.assert_allclose(ours["intention"][:, 3], theirs["intention"][:, 3], rtol=1e-6, atol=1e-4)
    assert len(ours) > 0.9 * (len(settled) - (SETTLED + CUT) / PERIOD) > 0
    return len(settled)


def same_events(happened: list[Happening], sent: Rows, seconds: float) -> None:
    """See that every event of a trial that was told on is of its time, and that few are not told on."""
    events = trial_events(played())
    expected: dict[str, list[float]] = {}
    for due, packet_id in zip(sent["due"].tolist(), sent["packet_id"].tolist(), strict=True):
        for text in events.get(packet_id, ()):
            expected.setdefault(text, []).append(due)
    first, last = float(sent["due"][0]), float(sent["due"][-1]) + PERIOD
    known = EVENT_NAMES.values()
    told = [each for each in happened if first <= each.due <= last and each.text.partition(" ")[0] in known]
    assert len(set(told)) == len(told)
    for text, due in told:
        assert np.abs(np.subtract(expected[text], due)).min() < PERIOD / 5
    n = sum(map(len, expected.values()))
    assert len(told) >= n * seconds / (seconds + SETTLED + 1.0) - 3
