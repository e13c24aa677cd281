"""Plots of scores, from the scores of a decoder that errs by a known distance."""

from __future__ import annotations

import numpy as np
import pytest

from engine.answers.scores.board import Board
from engine.answers.scores.histogram import ERROR
from engine.answers.scores.scorer import Scoreboard
from engine.answers.scores.sent import Reference
from engine.sources.recordings.recording import Recording
from engine.view import PLAIN, changed
from plotters.base import Scene
from plotters.latency import LOW, Latency, place
from plotters.position_error import Errors
from plotters.quality import FLOOR, Quality, courses
from plotters.scored import Scored
from tests.builders import play, small_recording
from tests.engine.answers.scores.answering import LATENCY, answers, sent
from tests.plotters.playing import columns, news_of, properties

RECORDING = small_recording(n_bins=2000, n_trials=20)
SCORED = (Quality, Errors, Latency)
N = 400


def scoreboard(recording: Recording, offset: float = 5.0, at: float = 1.0) -> Scoreboard:
    """Of one decoder that answers `N` bins, x by `offset` too high."""
    rows = sent(recording, range(N))
    lines = answers(rows)
    lines["values"][:, 0] += offset
    board = Board(Reference.of(recording), 2400)
    for first in range(0, N, 20):
        part = slice(first, first + 20)
        board.advance(rows[part], lines[part], 10.0, float(rows["due"][part][-1]))
    return Scoreboard(at, {"off": board.summaries()[0]})


@pytest.mark.parametrize("plotter", SCORED)
def test_without_scores_there_is_nothing_to_say(plotter: type[Scored]) -> None:
    plot, news = plotter(Scene(RECORDING)), news_of(RECORDING, play(RECORDING, range(40)))
    assert not plot.should_update(news)
    assert list(plot.start(news)) == []


@pytest.mark.parametrize("plotter", SCORED)
def test_plots_change_when_scores_do(plotter: type[Scored]) -> None:
    plot, rows = plotter(Scene(RECORDING)), play(RECORDING, range(40))
    first = news_of(RECORDING, rows, scores=scoreboard(RECORDING))
    assert plot.should_update(first)
    assert list(plot.update(first))
    assert not plot.should_update(first)
    assert plot.should_update(news_of(RECORDING, rows, scores=scoreboard(RECORDING, at=1.5)))
    assert list(plot.start(first))


@pytest.mark.parametrize("plotter", SCORED)
def test_every_update_has_a_source_of_its_length(plotter: type[Scored]) -> None:
    plot = plotter(Scene(RECORDING))
    sources = {r.data_source.name: r.data_source.data for r in plot.build().renderers}
    news = news_of(RECORDING, play(RECORDING, range(40)), scores=scoreboard(RECORDING))
    for (source, column), values in columns(plot.start(news)).items():
        assert len(values) == len(sources[f"{plot.name}/{source}"][column])


def test_the_course_of_r2_ends_now() -> None:
    scores = scoreboard(RECORDING)
    news = news_of(RECORDING, play(RECORDING, range(40)), scores=scores)
    made = columns(Quality(Scene(RECORDING)).update(news))
    velocity = made["trace 0", "velocity"]
    history = scores.decoders["off"].history[:, 1]
    assert len(history) == N // 40
    np.testing.assert_array_equal(velocity[-len(history) :], history)
    assert np.isnan(velocity[: -len(history)]).all()
    assert velocity[-1] == made["newest", "y"][1] == pytest.approx(1.0)
    assert np.isnan(made["trace 1", "velocity"]).all()


def test_what_is_worse_than_the_axis_is_not_drawn_but_marked_at_its_end() -> None:
    course, below = courses(np.array([[np.nan, 0.5], [-30.0, 0.75]], np.float32))
    np.testing.assert_array_equal(course[-2:], [[np.nan, 0.5], [np.nan, 0.75]])
    np.testing.assert_array_equal(below[-2:], np.array([np.nan, FLOOR], np.float32))
    assert np.isnan(below[:-2]).all()


@pytest.mark.parametrize("offset", [5.0, 1e-3, 1e5])
def test_errors_are_counted_where_they_are_or_at_the_ends(offset: float) -> None:
    errors = Errors(Scene(RECORDING))
    news = news_of(RECORDING, play(RECORDING, range(40)), scores=scoreboard(RECORDING, offset))
    updates = list(errors.update(news))
    share = columns(updates)["bars 0", "share"]
    (bucket,) = np.flatnonzero(share)
    assert share[bucket] == pytest.approx(100.0)
    ends = [*errors.edges, errors.edges[-1] * ERROR.ratio**2]
    assert bucket == np.clip(np.searchsorted(ends, offset) - 1, 0, len(share) - 1)
    assert properties(updates)["range"] == {"end": 150.0}


def test_the_hit_radius_is_that_of_the_view() -> None:
    view = changed(PLAIN, {"hit_radius": 25.0}, RECORDING)
    news = news_of(RECORDING, play(RECORDING, range(40)), view=view, scores=scoreboard(RECORDING))
    assert properties(Errors(Scene(RECORDING)).update(news))["radius"] == {"location": 25.0}


def test_each_stage_begins_where_the_one_before_ends() -> None:
    rows = play(RECORDING, range(40))
    rows["lateness"] = 0.0002
    news = news_of(RECORDING, rows, sent=0.0005, scores=scoreboard(RECORDING))
    made = columns(Latency(Scene(RECORDING)).update(news))
    assert made["stages", "left"][:3] == pytest.approx([LOW, 0.2, 0.5])
    assert made["stages", "right"][:3] == pytest.approx([0.2, 0.5, 1000 * LATENCY], rel=0.01)
    assert made["screen", "left"][0] == made["stages", "right"][2]
    assert np.isnan(made["stages", "right"][3:]).all()
    assert made["stages", "text"] == ["0.2", "0.5", "4", "", "", ""]


def test_decoders_share_the_row_of_a_stage() -> None:
    (upper, height), (lower, _) = place(2, 0, 2), place(2, 1, 2)
    assert upper - lower == pytest.approx(height)
    assert (upper + lower) / 2 == pytest.approx(place(2)[0]) == 1.0
