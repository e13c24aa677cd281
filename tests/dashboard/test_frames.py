"""Frames as a page applies them, without a browser."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from dashboard.frames import Frames
from engine.bins.schema import Rows
from plotters import PLOTTERS
from plotters.base import News, Plotter, Scene, Update
from sessions.audience import Decoder
from sessions.session import Session
from sessions.store import Store
from tests.builders import play, small_recording
from tests.dashboard.test_comparing import answer
from tests.engine.listening import wait_until

RECORDING = small_recording(n_units=6, n_bins=2000, n_trials=20, gaps=True)


@pytest.fixture
def session() -> Iterator[Session]:
    store = Store({"small": RECORDING})
    yield store.create("deck")
    store.close()


class Page:
    """Columns as `resources/plots.js` has them."""

    def __init__(self, plotters: tuple[type[Plotter], ...] = PLOTTERS) -> None:
        self.blank: dict[tuple[str, str], Any] = {}
        for plotter in plotters:
            models = plotter(Scene(RECORDING)).build().select({"type": ColumnDataSource})
            for source in (each for each in models if each.name):
                for name, column in source.data.items():
                    self.blank[source.name, name] = np.array(column[0] if name == "image" else column)
        self.columns = dict(self.blank)
        self.properties: dict[tuple[str, str], Any] = {}

    def apply(self, frame: bytes) -> dict[str, Any]:
        (length,) = struct.unpack_from("<I", frame)
        header: dict[str, Any] = json.loads(frame[4 : 4 + length])
        if "start" in header:
            self.columns = dict(self.blank)
        for update in header["updates"]:
            if update["op"] == "set":
                for name, value in update["properties"].items():
                    self.properties[update["model"], name] = value
                continue
            key = update["source"], update["column"]
            values = self.values(update, frame[4 + length :])
            if update["op"] == "replace":
                self.columns[key] = values
            else:
                column = np.concatenate((self.columns[key], values), axis=-1)
                self.columns[key] = column[..., -self.columns[key].shape[-1] :]
        return header

    @staticmethod
    def values(update: dict[str, Any], numbers: bytes) -> npt.NDArray[Any]:
        if "values" in update:
            return np.array(update["values"])
        shape = update["shape"]
        return np.frombuffer(numbers, update["dtype"], int(np.prod(shape)), update["offset"]).reshape(shape)


def rows_for(n: int) -> Rows:
    rows = play(RECORDING, [*range(200, 500), *range(900, 1200), *range(100)])[:n]
    rows["lateness"] = np.random.default_rng(0).exponential(0.001, n)
    return rows


@pytest.mark.parametrize("portion", [1, 7, 300])
def test_who_comes_late_sees_what_the_others_see(session: Session, portion: int) -> None:
    session.change_view({"order": "rate", "hidden_units": [2]})
    frames, watching, late = Frames(session, PLOTTERS), Page(), Page()
    rows = rows_for(640)
    watching.apply(frames.start())
    for start in range(0, 641 - portion, portion):
        watching.apply(frames.update(rows[start : start + portion]))
    late.apply(frames.start())
    watching.apply(frames.start())  # what is told a few times a second is brought up to date
    assert watching.columns.keys() == late.columns.keys()
    for key, column in late.columns.items():
        np.testing.assert_array_equal(watching.columns[key], column, err_msg=str(key))
    assert watching.properties == late.properties


@pytest.mark.parametrize("portion", [1, 7])
def test_a_start_changes_nothing_that_moves_with_every_bin(session: Session, portion: int) -> None:
    frames, watching, late = Frames(session, PLOTTERS), Page(), Page()
    rows = rows_for(630)
    for start in range(0, 630, portion):
        watching.apply(frames.update(rows[start : start + portion]))
    late.apply(frames.start())
    for key, column in late.columns.items():
        if key[0] not in ("units/rates", "timing/histogram"):
            np.testing.assert_array_equal(watching.columns[key], column, err_msg=str(key))


def test_everyone_starts_anew_when_the_view_changes(session: Session) -> None:
    frames = Frames(session, PLOTTERS)
    assert not frames.renew()
    session.change_view({"hit_radius": 20.0})
    assert frames.renew()
    assert not frames.renew()
    page = Page().apply(frames.start())
    assert page["values"]["viewed"] == "all units"


def on_screen(frames: Frames) -> tuple[Page, dict[str, Any]]:
    page = Page()
    return page, page.apply(frames.start())


def test_who_seeks_while_paused_sees_the_recording_there_until_a_bin_is_sent(session: Session) -> None:
    replay, frames = session.replay, Frames(session, PLOTTERS)
    frames.update(rows_for(600))
    replay.pause()
    sent, _ = on_screen(frames)
    replay.seek(1510)
    assert frames.renew()
    shown, header = on_screen(frames)
    assert (header["flags"]["preview"], header["packet_id"]) == ("", 1510)
    assert header["values"]["trial"] == str(RECORDING.trial_ids[RECORDING.bins["trial"][1510]])
    assert "sequence_number" not in header
    with_all_sent = Frames(session, PLOTTERS)
    with_all_sent.update(play(RECORDING, range(1511 - frames.n_bins, 1511)))
    expected, _ = on_screen(with_all_sent)
    for key, column in expected.columns.items():
        if key[0] and key[0].startswith(("raster/", "arena/", "position", "velocity")):
            np.testing.assert_array_equal(shown.columns[key], column, err_msg=str(key))
    assert not frames.renew()
    replay.seek(3)
    assert frames.renew()
    _, header = on_screen(frames)
    assert header["packet_id"] == 3
    head = replay.ring.head
    replay.step()
    wait_until(lambda: replay.ring.head > head)
    assert frames.renew()
    again, header = on_screen(frames)
    assert header["flags"]["preview"] is None
    np.testing.assert_array_equal(
        again.columns["raster/spikes", "image"], sent.columns["raster/spikes", "image"]
    )


def test_who_goes_to_a_trial_while_paused_sees_it_whole_with_what_decoders_made_of_it(
    session: Session,
) -> None:
    answer(session, 400)
    session.replay.seek(200)  # the first bin of a trial of 80
    frames = Frames(session, PLOTTERS)
    frames.renew()
    shown, header = on_screen(frames)
    assert header["packet_id"] == 200
    expected = Frames(session, PLOTTERS)
    expected.update(play(RECORDING, range(280)))
    whole, _ = on_screen(expected)
    for key, column in whole.columns.items():
        if key[0] == "raster/spikes":
            np.testing.assert_array_equal(shown.columns[key], column, err_msg=str(key))
    x = float(RECORDING.kinematics[279, 0])
    of_decoders = [f"arena/cursor {i}" for i in range(1, 5)]
    ends = {str(shown.columns[each, "who"][0]): shown.columns[each, "x"][0] for each in of_decoders}
    assert shown.columns["arena/cursor 0", "x"][0] == x
    assert (ends["exact"], ends["off"]) == (x, pytest.approx(x + 12))  # off by 10, and more each trial


def test_who_seeks_while_it_plays_sees_what_is_sent(session: Session) -> None:
    frames = Frames(session, PLOTTERS)
    session.replay.resume()
    session.replay.seek(1500)
    assert not frames.renew()
    assert session.replay.sought is None


def test_the_trials_state_is_told_in_texts(session: Session) -> None:
    frames = Frames(session, PLOTTERS)
    rows = play(RECORDING, range(80))
    header = Page().apply(frames.update(rows[:79]))  # the trial's movement begins at its bin 32
    assert header["values"].items() >= {"phase": "hit", "phase-time": "0.2 s", "hits": "1"}.items()
    header = Page().apply(frames.update(play(RECORDING, range(20))))
    assert header["values"].items() >= {"phase": "target on", "phase-time": "0.3 s", "hits": "1"}.items()


class TwoDecoders:
    size, dropped, latency = 2, 3, 0.004
    latencies = np.array([0.004])
    decoders = (
        Decoder("mine", "10.0.0.1", "json, flat", "drop-oldest", 0, 3),
        Decoder("", "10.0.0.2", "msgpack, compact", "lossless", 1234, 0),
    )

    def __init__(self, *_: object) -> None: ...

    def wake(self) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


def test_decoders_and_their_delays_are_shown(session: Session) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    session.audience(TwoDecoders, loop)
    page = Page()
    header = page.apply(Frames(session, PLOTTERS).update(rows_for(2)))
    assert header["tables"]["listeners"] == [
        ["mine", "10.0.0.1", "json, flat", "drop-oldest", "0", "3"],
        ["\N{EN DASH}", "10.0.0.2", "msgpack, compact", "lossless", "1,234", "0"],
    ]
    np.testing.assert_allclose(page.columns["timing/trace", "sent"][-2:], [4, 4])


def test_frames_without_bins_change_no_plot(session: Session) -> None:
    frames = Frames(session, PLOTTERS)
    frames.update(rows_for(50))
    assert Page().apply(frames.update(rows_for(0)))["updates"] == []


class Broken(Plotter):
    """A lab's plot that fails with its second bins."""

    name = "broken"
    title = "Broken"

    def build(self) -> figure:
        return figure()

    def update(self, news: News) -> Iterator[Update]:
        if len(news.recent) > 10:
            raise ZeroDivisionError("of a lab")
        yield from ()


def test_a_plot_that_fails_ends_alone_and_says_so(session: Session) -> None:
    frames, page = Frames(session, (*PLOTTERS, Broken)), Page()
    header = page.apply(frames.update(play(RECORDING, range(10))))
    assert header["values"]["sinks"] == ""
    frames._tabled = 0.0  # texts are due again
    header = page.apply(frames.update(play(RECORDING, range(10, 20))))
    assert header["values"]["sinks"] == (
        "The plot Broken has failed (ZeroDivisionError: of a lab). Mend it, and start the server again."
    )
    header = page.apply(frames.update(play(RECORDING, range(20, 30))))
    assert any(update["source"].startswith("raster/") for update in header["updates"] if "source" in update)
