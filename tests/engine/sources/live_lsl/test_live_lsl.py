"""Decks that play real LSL outlets."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pylsl
import pytest

from engine.bins.schema import Rows
from engine.bins.selection import Selection
from engine.deck.replay import Replay
from engine.errors import NotNow, NotThere
from engine.sources.live_lsl.source import LiveLsl, live_lsl
from tests.engine.listening import PATIENCE, Keeper, wait_until

PERIOD = 0.025
Open = Callable[[str], tuple[LiveLsl, Keeper]]


class Sender:
    """An outlet that sends samples at a rate, each stamped with the time at which it is due.

    Sample k of channel c is ``(k + c) % 5``.
    """

    def __init__(
        self,
        name: str,
        rate: float = 40.0,
        n_channels: int = 3,
        kind: int = pylsl.cf_float32,
        labels: tuple[str, ...] = (),
        source_id: str | None = None,
        regular: bool = True,
    ) -> None:
        nominal = rate if regular else pylsl.IRREGULAR_RATE
        source_id = name if source_id is None else source_id
        info = pylsl.StreamInfo(name, "Counts", n_channels, nominal, kind, source_id)
        listed = info.desc().append_child("channels")
        for label in labels:
            listed.append_child("channel").append_child_value("label", label)
        info.desc().append_child("synchronization").append_child_value("can_drop_samples", "true")
        self.sent: list[tuple[float, list[int]]] = []
        self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(info)
        self._period, self._n = 1.0 / rate, n_channels
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due, k = pylsl.local_clock(), 0
        while not self._stopping.wait(max(due - pylsl.local_clock(), 0.0)):
            values = [(k + channel) % 5 for channel in range(self._n)]
            assert self._outlet is not None
            self._outlet.push_sample(values, due)
            self.sent.append((due, values))
            due, k = due + self._period, k + 1

    def at(self, dues: np.ndarray) -> np.ndarray:
        """The values of the samples that were due then, to 2 ms, shape (n, n_channels)."""
        sent = list(self.sent)
        stamps = np.array([due for due, _ in sent])
        nearest = np.abs(stamps[:, None] - dues).argmin(axis=0)
        np.testing.assert_allclose(stamps[nearest], dues, atol=2e-3)
        return np.array([values for _, values in sent])[nearest]

    def stop(self) -> None:
        """Send no more; what was sent is still on its way, which it is no more once the outlet has gone."""
        self._stopping.set()
        self._thread.join()

    def close(self) -> None:
        self.stop()
        self._outlet = None  # pylsl destroys it


@pytest.fixture
def name() -> str:
    return f"live-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def send() -> Iterator[Callable[..., Sender]]:
    """Starts senders, which end with the test."""
    made: list[Sender] = []

    def start(*given: object, **options: object) -> Sender:
        made.append(Sender(*given, **options))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for sender in made:
        sender.close()


@pytest.fixture
def play() -> Iterator[Open]:
    """Makes decks that play a stream."""
    made: list[Replay] = []

    def start(names: str) -> tuple[LiveLsl, Keeper]:
        source = live_lsl(names, 40.0)
        replay = Replay(source)
        made.append(replay)
        keeper = Keeper(replay)
        replay.resume()
        return source, keeper

    yield start
    for replay in made:
        replay.close()


def observed(keeper: Keeper, n: int) -> Rows:
    """The bins that were, as soon as there are so many."""
    wait_until(lambda: np.count_nonzero(keeper.rows["observed"]) >= n)
    rows = keeper.rows
    return rows[rows["observed"]]


def test_a_stream_of_counts_is_sent_bin_by_bin_under_its_channels_names(
    name: str, send: Callable[..., Sender], play: Open
) -> None:
    sender = send(name, labels=("left", "middle", "right"))
    source, keeper = play(name)
    rows = observed(keeper, 60)
    assert source.description.channel_names == ("left", "middle", "right")
    np.testing.assert_array_equal(rows["counts"], sender.at(rows["due"]))
    np.testing.assert_allclose(np.diff(rows["due"]), PERIOD, atol=1e-3)
    np.testing.assert_array_equal(rows["packet_id"], rows["sequence_number"])
    assert np.isnan(rows["kinematics"]).all()  # it has no companions
    assert (rows["trial"] == -1).all()
    assert source.status.well


def test_a_faster_stream_is_summed(name: str, send: Callable[..., Sender], play: Open) -> None:
    sender = send(name, rate=200.0, kind=pylsl.cf_int16)
    _, keeper = play(name)
    rows = observed(keeper, 40)
    stamps = np.array([due for due, _ in sender.sent])
    for row in rows:
        last = int(np.argmin(np.abs(stamps - row["due"])))
        values = np.array([values for _, values in sender.sent[last - 4 : last + 1]])
        assert row["counts"].tolist() == values.sum(axis=0).tolist()
    np.testing.assert_allclose(np.diff(rows["due"]), PERIOD, atol=1e-3)


def test_spikes_of_an_irregular_stream_are_counted_by_their_times(
    name: str, send: Callable[..., Sender], play: Open
) -> None:
    sender = send(name, rate=333.0, regular=False)
    source, keeper = play(name)
    observed(keeper, 60)
    sender.stop()
    last = sender.sent[-1][0]
    wait_until(lambda: keeper.rows["due"][-1] > last + 2 * PERIOD)

    def apart() -> int:
        rows = observed(keeper, 60)[10:]
        sent = [values for due, values in sender.sent if rows["due"][0] - PERIOD <= due < rows["due"][-1]]
        return int(np.abs(rows["counts"].sum(axis=0, dtype=np.int64) - np.sum(sent, axis=0)).max())

    # On a machine that is busy some come late, and are counted a bin later.
    wait_until(lambda: apart() <= 4 * source.status.late)
    rows = observed(keeper, 60)
    np.testing.assert_allclose(np.diff(rows["due"]), PERIOD, atol=1e-6)


def test_a_stream_that_has_gone_leaves_bins_unobserved_until_it_is_found_again(
    name: str, send: Callable[..., Sender], play: Open
) -> None:
    first = send(name)
    source, keeper = play(name)
    observed(keeper, 20)
    first.close()
    gone_at = time.time()
    wait_until(lambda: not source.status.well)
    assert source.status.state == "gone"
    assert source.status.since == pytest.approx(gone_at, abs=PATIENCE / 4)
    had = len(keeper.rows)
    wait_until(lambda: len(keeper.rows) >= had + 40 and not keeper.rows["observed"][-1])
    send("another name", source_id=name)  # as a program that was started with another setting
    wait_until(lambda: source.status.well)
    wait_until(lambda: bool(keeper.rows["observed"][-1]))
    rows = keeper.rows
    missing = rows[~rows["observed"]]
    assert not missing["counts"].any()
    assert np.isnan(missing["kinematics"]).all()
    places = np.flatnonzero(~rows["observed"])
    for gap in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):  # the new stream may begin late
        np.testing.assert_allclose(np.diff(rows["due"][gap])[:-1], PERIOD, atol=PERIOD / 2)
    assert (np.diff(rows["due"]) > 0).all()
    assert keeper.lost == 0


def test_another_number_of_channels_is_refused_until_it_is_as_it_was(
    name: str, send: Callable[..., Sender], play: Open
) -> None:
    first = send(name)
    source, keeper = play(name)
    observed(keeper, 20)
    first.close()
    wait_until(lambda: not source.status.well)
    other = send(name, n_channels=4)
    wait_until(lambda: source.status.state == "changed")
    assert source.status.error == (
        "It has 4 channels of numbers at 40 Hz, and had 3 channels of numbers at 40 Hz. "
        "Let it be as it was."
    )
    had = len(keeper.rows)
    wait_until(lambda: len(keeper.rows) > had + 20)
    assert not keeper.rows["observed"][had:].any()
    other.close()
    send(name)
    wait_until(lambda: source.status.well and bool(keeper.rows["observed"][-1]))


def test_bins_that_pass_while_it_is_paused_are_not_sent(name: str, send: Callable[..., Sender]) -> None:
    send(name)
    replay = Replay(live_lsl(name, 40.0))
    try:
        keeper = Keeper(replay)
        replay.resume()
        observed(keeper, 20)
        replay.pause()
        wait_until(lambda: len(keeper.rows) == replay.ring.head)
        n = len(keeper.rows)
        before = float(keeper.rows["due"][-1])
        wait_until(lambda: pylsl.local_clock() > before + 0.5)
        assert len(keeper.rows) == n
        resumed = pylsl.local_clock()
        replay.resume()
        keeper.wait_rows(n + 20)
        rows = keeper.rows
        assert rows["due"][n] >= resumed
        np.testing.assert_array_equal(rows["sequence_number"], np.arange(len(rows)))
        assert rows["observed"][n:].any()
    finally:
        replay.close()


def test_the_undisturbed_counts_of_what_was_sent_are_kept(name: str, send: Callable[..., Sender]) -> None:
    sender = send(name)
    replay = Replay(live_lsl(name, 40.0), perturbation={"preset": "extreme"})
    try:
        keeper = Keeper(replay)
        replay.resume()
        rows = observed(keeper, 40)
        expected = sender.at(rows["due"])
        np.testing.assert_array_equal(replay.description.clean(rows["packet_id"]), expected)
        assert (rows["counts"] != expected).any()
    finally:
        replay.close()


def test_what_it_cannot_do_is_refused_with_what_it_can(name: str, send: Callable[..., Sender]) -> None:
    send(name)
    replay = Replay(live_lsl(name, 40.0))
    try:
        for ask in (
            replay.step, lambda: replay.seek(0), lambda: replay.set_loop(True),
            lambda: replay.set_speed(2.0), lambda: replay.set_speed("max"),
            lambda: replay.set_selection(Selection(trial_ids=(1,))),
        ):  # fmt: skip
            with pytest.raises(
                NotNow, match=r"source is lsl has no .* It can do pause, perturbation; make"
            ):
                ask()
        replay.set_speed(1.0)
        replay.set_perturbation({"preset": "light"})
    finally:
        replay.close()


def test_a_stream_that_is_not_there_is_told_soon(name: str, send: Callable[..., Sender]) -> None:
    send(f"{name} beside")
    asked = time.monotonic()
    with pytest.raises(
        NotThere, match=f"No LSL stream is called '{name}'. Start it; .* There are .*{name} beside"
    ) as missing:
        live_lsl(name, 40.0)
    assert missing.value.name == name
    assert time.monotonic() - asked < 10.0  # 1 s of looking, on a machine that may be busy


def test_a_sender_with_a_clock_of_its_own_is_told_and_holds_nobody_up(name: str, play: Open) -> None:
    info = pylsl.StreamInfo(name, "Counts", 2, 40.0, pylsl.cf_float32, name)
    info.desc().append_child("synchronization").append_child_value("can_drop_samples", "true")
    outlet = pylsl.StreamOutlet(info)
    source, keeper = play(name)
    assert outlet.wait_for_consumers(PATIENCE)
    wait_until(lambda: source.status.state == "running")
    for stamp in (1.0, -1e9, 1e12):
        outlet.push_sample([1, 2], stamp)
    wait_until(lambda: source.status.late == 3)
    keeper.wait_rows(10)
    assert not keeper.rows["observed"].any()
    asked = time.monotonic()
    for _ in range(20):
        outlet.push_sample([3, 4])
    assert (observed(keeper, 1)["counts"][0] == [3, 4]).all()
    assert time.monotonic() - asked < PATIENCE


BAD = (math.nan, math.inf, -math.inf, 1e30, 3e38)


def test_what_companions_cannot_mean_is_missing_and_ends_nothing(
    name: str, send: Callable[..., Sender], play: Open
) -> None:
    neural = f"{name}-Neural-x"
    info = pylsl.StreamInfo(f"{name}-Intention-x", "Markers", 4, 0.0, pylsl.cf_float32, f"{name} intention")
    intention = pylsl.StreamOutlet(info)
    send(neural)
    source, keeper = play(neural)
    assert intention.wait_for_consumers(PATIENCE)
    for bad in BAD:
        intention.push_sample([bad, bad, bad, bad])
        observed(keeper, np.count_nonzero(keeper.rows["observed"]) + 4)
    assert (keeper.rows["trial"] == -1).all()
    intention.push_sample([math.inf, math.inf, 1.0, 7.0])
    wait_until(lambda: list(source.description.trial_ids) == [7])
    assert source.description.trials[0].target_id is None
    wait_until(lambda: keeper.rows["trial"][-1] == 0)
    assert np.isnan(keeper.rows["intention"][-1, 0])
    assert not np.isinf(keeper.rows["intention"]).any()
