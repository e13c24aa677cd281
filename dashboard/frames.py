"""What the dashboard shows of one session: its plots and its state, in one frame for all viewers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from dashboard.drive.words import intended_share
from dashboard.plots import failure, scene_id
from dashboard.preview import bins_up_to, last_shown
from dashboard.scores import UNKNOWN, Row, score_tables
from dashboard.status import flags, texts
from dashboard.voltages import Voltages
from dashboard.window import Window
from engine.bins.phases import TrialFollower, TrialState
from engine.bins.schema import Rows
from engine.deck.replay import Replay
from plotters import suited
from plotters.base import News, Plotter, Scene, Trace, Update
from plotters.frame import Described, describe, encode
from plotters.marks import marked
from sessions.audience import Decoder
from sessions.session import Session

TABLE_PERIOD = 0.5
"""Seconds."""


class Frames:
    """The `sessions.streams.feed.FrameMaker` of a session."""

    def __init__(self, session: Session, plotters: Sequence[type[Plotter]]) -> None:
        self._session = session
        self._replay = session.replay
        self._scene = Scene(session.description)
        self._scene_id = scene_id(self._scene, plotters)
        self._failed: dict[str, str] = {}
        self._plotters: list[Plotter] = []
        for plotter in suited(plotters, session.description):
            try:
                self._plotters.append(plotter(self._scene))
            except Exception as error:  # whatever it is, it ends this plot alone, and visibly
                self._failed[plotter.name] = failure(plotter, error)
        self.bins_per_column = self._scene.bins_per_column
        self.n_bins = self._scene.n_recent
        self._recent = Window(self.n_bins, session.ring.dtype)
        self._sent = Window(self.n_bins, np.float32)
        self._follower = TrialFollower(session.description)
        self._view = session.view
        self._sought: int | None = None
        self._preview: Rows | None = None
        self._trial = TrialState()
        self._tabled = -math.inf
        self._texts: dict[str, str] = {}
        self._voltages = Voltages(self._replay.source) if session.description.sampled else None

    def begin(self) -> None:
        if self._voltages is not None:
            self._voltages.join()

    def end(self) -> None:
        if self._voltages is not None:
            self._voltages.leave()

    def renew(self) -> bool:
        view, self._view = self._view, self._session.view
        sought, self._sought = self._sought, self._replay.sought
        if self._sought != sought:
            self._preview = self._previewed()
        return self._view is not view or self._sought != sought

    def update(self, rows: Rows) -> bytes:
        self._recent.append(rows)
        self._sent.append(np.full(len(rows), send_latency(self._session), np.float32))
        self._trial = self._follower.advance(rows, self._view.hit_radius)
        traces = self._voltages.traces(self._view) if self._voltages else (None, None)
        news = self._news(len(rows), *traces)
        updates = self._updates(lambda each: each.update(news) if each.should_update(news) else ())
        return self._encode(news, updates, self._news_to_read(news))

    def start(self) -> bytes:
        news = self._news(self._scene.n_bins)
        updates = self._updates(lambda each: each.start(news))
        return self._encode(
            news,
            updates,
            {"start": self._scene_id, "tables": self._tables(news), "texts": self._all_texts()},
        )

    def _updates(self, made_by: Callable[[Plotter], Iterable[Update]]) -> list[Described]:
        """What all plots have made but those that have failed, now or before."""
        updates: list[Described] = []
        for plotter in self._plotters:
            if plotter.name in self._failed:
                continue
            try:
                updates += describe(plotter.name, made_by(plotter))
            except Exception as error:  # whatever it is, it ends this plot alone, and visibly
                self._failed[plotter.name] = failure(type(plotter), error)
        return updates

    def _all_texts(self) -> dict[str, str]:
        told = texts(self._session)
        troubles = (told["sinks"], *self._failed.values())
        return {**told, "sinks": "\n".join(filter(None, troubles))}

    def _previewed(self) -> Rows | None:
        if self._sought is None:
            return None
        recording, k = self._session.recording, self.bins_per_column
        last = last_shown(recording, self._sought)
        return bins_up_to(recording, last, self.n_bins, k, self._session.ring.dtype)

    def _news(self, n_new: int, trace: Trace | None = None, single: Trace | None = None) -> News:
        recent, sent, trial, decoded = self._recent.values, self._sent.values, self._trial, {}
        if self._preview is not None:
            recent, sent = self._preview, np.full(len(self._preview), np.nan, np.float32)
            trial = TrialFollower(self._scene.recording).advance(recent, self._view.hit_radius)
            decoded = self._session.scores.places(recent["packet_id"])
        elif self._session.predictions.names:
            decoded = self._session.predictions.decoded(recent)
        noise, thresholds = self._voltages.levels if self._voltages else (None, None)
        return News(
            rows=recent[max(len(recent) - n_new, 0) :][-self._scene.n_bins :],
            state=self._replay.state,
            recent=recent,
            sent=sent,
            trial=trial,
            view=self._view,
            decoded=decoded,
            marked=marked(self._session.predictions.names, decoded),
            scores=self._session.scores.latest(),
            means=self._session.drift.mean_rates(),
            trace=trace,
            single=single,
            noise=noise,
            thresholds=thresholds,
        )

    def _news_to_read(self, news: News) -> dict[str, Any]:
        """The tables and texts that are for reading, twice a second."""
        now = time.monotonic()
        if now < self._tabled + TABLE_PERIOD:
            return {}
        self._tabled = now
        before, self._texts = self._texts, self._all_texts()
        changed = {name: text for name, text in self._texts.items() if text != before.get(name)}
        return {"tables": self._tables(news), "texts": changed}

    def _tables(self, news: News) -> dict[str, list[Row]]:
        """The rows of the page's tables, by their ``data-rows``."""
        listeners = [decoder for audience in self._session.audiences for decoder in audience.decoders]
        tables = score_tables(
            news.scores, self._scene.recording.bin_rate, news.marked, self._session.predictions.holds.told
        )
        return {"listeners": listener_rows(listeners), **tables}

    def _encode(self, news: News, updates: Iterable[Described], to_read: dict[str, Any]) -> bytes:
        state = session_state(self._replay, news.rows if self._preview is None else news.rows[:0])
        state["values"] |= {**trial_values(news.trial), **to_read.pop("texts", {})}
        state["flags"] = flags(self._session)
        if (share := intended_share(self._session)) is not None:
            state["intended"] = share
        if news.decoded:
            state["behind_ms"] = [behind_ms(news, name) for name in news.marked]
        return encode({**to_read, **state}, updates)


def send_latency(session: Session) -> float:
    """Seconds from the newest bin's being due to its being sent to all; NaN without decoders."""
    known = [audience.latency for audience in session.audiences]
    return max((latency for latency in known if not math.isnan(latency)), default=math.nan)


def listener_rows(decoders: Iterable[Decoder]) -> list[Row]:
    """A row each: its name, where it connects from, and how it does."""
    return [
        [d.name or UNKNOWN, d.address, d.layout, d.queue, f"{d.waiting:,}", f"{d.dropped:,}"]
        for d in decoders
    ]


def behind_ms(news: News, decoder: str) -> float | None:
    """By how much the newest bin that a decoder has answered is older than the newest that there is."""
    answered = news.newest_answered(decoder)
    if answered < 0:
        return None
    return 1000.0 * float(news.recent["timestamp"][-1] - news.recent["timestamp"][answered])


def trial_values(trial: TrialState) -> dict[str, str]:
    """The trial's texts, by their ``data-value``."""
    return {
        "phase": trial.phase,
        "phase-time": f"{trial.seconds:.1f} s",
        "hits": f"{trial.hits:,}",
    }


def session_state(replay: Replay, rows: Rows) -> dict[str, Any]:
    """The part of a frame that is no plot.

    Returns
    -------
    dict
        ``state`` of the replay; ``now``, the server's Unix time; ``packet_id``, where it stands in the
        recording; ``values``, the texts of the page's elements with ``data-value``; if there are rows,
        ``timestamp`` (Unix) and ``sequence_number`` of the newest; ``error`` of a failed session.
    """
    description = replay.description
    state: dict[str, Any] = {"state": replay.state, "now": time.time()}
    values: dict[str, str] = {"speed": spell_speed(replay.speed)}
    if replay.error is not None:
        state["error"] = replay.error
    if len(rows):
        newest = rows[-1]
        state["timestamp"] = float(newest["timestamp"])
        state["sequence_number"] = int(newest["sequence_number"])
        packet_id, trial = int(newest["packet_id"]), int(newest["trial"])
    else:
        packet_id = replay.position().packet_id
        trial = int(description.bins["trial"][packet_id]) if packet_id < len(description.bins) else -1
    state["packet_id"] = packet_id
    values["trial"] = str(description.trial_ids[trial]) if trial >= 0 else ""
    values["packet"] = f"{packet_id:,}"
    values["position"] = spell_time(packet_id / description.bin_rate)
    state["values"] = values
    return state


def spell_speed(speed: float | str) -> str:
    return speed if isinstance(speed, str) else f"{speed:g}\N{MULTIPLICATION SIGN}"


def spell_time(seconds: float) -> str:
    """As on a tape counter: 04:53.9."""
    tenths = int(seconds * 10 + 1e-6)
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes:02d}:{tenths // 10:02d}.{tenths % 10}"


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return spell_time(seconds).partition(".")[0]
