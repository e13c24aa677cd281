"""What the dashboard shows of one session: its plots and its state, in one frame for all viewers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from engine.replay import Replay
from engine.ring import Rows
from plotters.base import News, Plotter, Scene, Update
from plotters.frame import encode

NOTHING = "\N{EN DASH}"


def scene_id(scene: Scene, plotters: Sequence[type[Plotter]]) -> str:
    """Changes when the figures do, so that a page from before a restart knows to reload."""
    names = "+".join(plotter.name for plotter in plotters)
    recording = scene.recording
    return f"{recording.sha256[:12]}-{recording.bin_rate:g}-{recording.n_units}-{scene.n_columns}-{names}"


class Frames:
    """The `sessions.feed.FrameMaker` of a replay."""

    def __init__(self, replay: Replay, plotters: Sequence[type[Plotter]]) -> None:
        self._replay = replay
        self._scene = Scene(replay.recording)
        self._scene_id = scene_id(self._scene, plotters)
        self._plotters = [plotter(self._scene) for plotter in plotters]
        self.bins_per_column = self._scene.bins_per_column
        self.n_bins = self._scene.n_bins

    def update(self, rows: Rows) -> bytes:
        news = News(rows, self._replay.state)
        updates = (
            (plotter.name, update)
            for plotter in self._plotters
            if plotter.should_update(news)
            for update in plotter.update(news)
        )
        return self._encode(news, updates)

    def start(self, rows: Rows) -> bytes:
        news = News(rows, self._replay.state)
        return self._encode(news, self._everything(news), start=self._scene_id)

    def _everything(self, news: News) -> Iterable[tuple[str, Update]]:
        for plotter in self._plotters:
            if len(news.rows) or plotter.should_update(news):
                for update in plotter.start(news):
                    yield plotter.name, update

    def _encode(self, news: News, updates: Iterable[tuple[str, Update]], **more: Any) -> bytes:
        return encode({**more, **session_state(self._replay, news.rows)}, updates)


def session_state(replay: Replay, rows: Rows) -> dict[str, Any]:
    """The part of a frame that is no plot.

    Returns
    -------
    dict
        ``state`` of the replay; ``now``, the server's Unix time; ``progress`` through the recording,
        0 to 1; ``values``, the texts of the page's elements with ``data-value``; if there are rows,
        ``timestamp`` (Unix) and ``sequence_number`` of the newest; ``error`` of a failed session.
    """
    recording = replay.recording
    state: dict[str, Any] = {"state": replay.state, "now": time.time()}
    values: dict[str, str] = {"speed": spell_speed(replay.speed)}
    if replay.error is not None:
        state["error"] = replay.error
    if len(rows):
        newest = rows[-1]
        state["timestamp"] = float(newest["timestamp"])
        state["sequence_number"] = int(newest["sequence_number"])
        packet_id = int(newest["packet_id"])
        trial = int(newest["trial"])
        values["trial"] = str(recording.trials[trial].trial_id) if trial >= 0 else NOTHING
    else:
        packet_id = replay.position().packet_id
    state["progress"] = round(packet_id / recording.n_bins, 4)
    values["packet"] = f"{packet_id:,}"
    values["position"] = spell_time(packet_id / recording.bin_rate)
    state["values"] = values
    return state


def spell_speed(speed: float | str) -> str:
    return speed if isinstance(speed, str) else f"{speed:g}\N{MULTIPLICATION SIGN}"


def spell_time(seconds: float) -> str:
    """As on a tape counter: 04:53.9."""
    tenths = int(seconds * 10 + 1e-6)
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"
