"""Pictures show what was sent, say what they show, and can be drawn whatever was sent."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dashboard.theme import roles
from engine.bins.delivery import received
from engine.bins.schema import row_dtype
from engine.deck.happenings import Note
from engine.moment import Decoded, Moment
from engine.sources.recordings.recording import Recording
from plotters.marks import MARKS, marked
from plotters.pictures import PANELS, raster
from plotters.pictures.caption import caption, heading
from plotters.pictures.layout import arrange
from plotters.pictures.page import draw
from plotters.pictures.timeline import curve, notes, stretches, trials
from plotters.pictures.traces import moving_average, population_rate
from plotters.pictures.units import rates_now
from tests.builders import small_recording

START = 1_700_000_000.0
"""When the first bin was due, Unix; on the engine's clock it was 0."""
COLOURS = roles()["light"]


def moment_of(recording: Recording, bins: Any, seconds: float = 2.0, **facts: Any) -> Moment:
    """As if these bins had been sent in this order, on time."""
    bins = np.asarray(bins, int)
    rows = np.zeros(len(bins), row_dtype(recording.n_units, recording.counts.dtype))
    for name in recording.bins.dtype.names or ():
        rows[name] = recording.bins[name][bins]
    rows["sequence_number"] = np.arange(len(bins))
    rows["due"] = np.arange(len(bins)) / recording.bin_rate
    rows["timestamp"] = START + rows["due"]
    known: dict[str, Any] = {
        "session": "deck",
        "recording": recording.name,
        "synthetic": recording.synthetic,
        "rows": rows,
        "seconds": seconds,
        "bin_rate": recording.bin_rate,
        "length_unit": recording.length_unit,
        "channel_names": recording.channel_names,
        "mean_rates": recording.counts.mean(axis=0) * recording.bin_rate,
        "units": np.arange(recording.n_units),
        "unit_order": "index",
        "target_radius": 10.0,
        "trials": {int(row): recording.trials[row] for row in np.unique(rows["trial"]) if row >= 0},
        "speed": 1.0,
        "seed": 7,
        "perturbation": {"noise": {"enabled": True, "sd": 0.5}, "drift": {"enabled": False}},
        "notes": (),
    }
    return Moment(**{**known, **facts})


@pytest.fixture
def moment() -> Moment:
    """2 s of 5 units: trials 1 and 2, with gaps."""
    return moment_of(small_recording(gaps=True), range(50, 130))


def texts(svg: bytes) -> str:
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode()))


# What is drawn


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_of_everything_is_a_file_of_its_kind_with_every_panel(moment: Moment, theme: str) -> None:
    png = draw(moment, (), "png", roles()[theme], 1200)
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.width) == ("PNG", 1200)
    svg = draw(moment, (), "svg", roles()[theme], 1200)
    assert all(panel.title in texts(svg) for panel in PANELS.values())
    assert b'width="1200" height=' in svg
    assert not re.findall(r'(?<!xmlns=")(?<!xmlns:xlink=")https?://', svg[svg.index(b"<svg") :].decode())
    assert draw(moment, ("arena",), "pdf", roles()[theme], 1200).startswith(b"%PDF")


@pytest.mark.parametrize("width", [300, 333, 601, 899, 1201, 4000])
def test_a_png_has_the_width_that_was_asked_for(moment: Moment, width: int) -> None:
    with Image.open(io.BytesIO(draw(moment, ("timing",), "png", COLOURS, width))) as image:
        assert image.width == width


def test_only_what_is_asked_for_is_drawn(moment: Moment) -> None:
    drawn = texts(draw(moment, ("rate", "arena"), "svg", COLOURS, 1200))
    assert "Population rate" in drawn
    assert "Arena" in drawn
    assert not any(panel.title in drawn for name, panel in PANELS.items() if name not in ("rate", "arena"))


def test_the_raster_shows_the_counts_that_were_sent(moment: Moment) -> None:
    sent = np.arange(400).reshape(80, 5) % 7
    moment.rows["counts"] = sent
    np.testing.assert_array_equal(raster.columns(moment), sent)


def test_lost_packets_are_shown_by_none_of_the_panels(moment: Moment) -> None:
    counts = moment.rows["counts"].copy()
    moment.rows["lost"][10:20] = True
    shown = raster.columns(moment)
    rate = population_rate(moment)

    assert not shown[10:20].any()
    np.testing.assert_array_equal(shown[20:], counts[20:])
    assert np.isnan(rate[10:20]).all()
    assert np.isfinite(rate[:10]).all()
    np.testing.assert_allclose(rates_now(moment), 40 * counts[received(moment.rows)].mean(axis=0))


def test_where_there_are_many_bins_columns_end_with_the_newest_and_lose_no_spike() -> None:
    recording = small_recording(n_bins=2 * raster.MAX_COLUMNS + 1)
    moment = moment_of(recording, range(recording.n_bins))
    assert raster.bins_per_column(moment) == 3
    columns = raster.columns(moment)
    np.testing.assert_array_equal(columns[-1], recording.counts[-3:].sum(axis=0))
    np.testing.assert_array_equal(columns.sum(axis=0), recording.counts.sum(axis=0))
    assert len(columns) <= raster.MAX_COLUMNS


def test_hidden_units_are_left_out_and_the_others_stand_in_their_order(moment: Moment) -> None:
    shown = replace(moment, units=np.array([3, 0, 4]), unit_order="rate")
    np.testing.assert_array_equal(raster.columns(shown), moment.rows["counts"][:, [3, 0, 4]])
    drawn = texts(draw(shown, ("raster", "units"), "svg", COLOURS, 1200))
    assert "Unit, by mean rate" in drawn
    assert "3 of 5 units" in drawn
    hidden = draw(replace(moment, units=np.empty(0, int)), (), "svg", COLOURS, 1200)
    assert "All units are hidden" in texts(hidden)


def test_lines_break_where_the_replay_jumped() -> None:
    moment = moment_of(small_recording(), [10, 11, 12, 40, 41])
    x, y = (curve(moment, np.arange(5.0)).dimension_values(i) for i in range(2))
    np.testing.assert_array_equal(y, [0, 1, 2, np.nan, 3, 4])
    np.testing.assert_allclose(x[[0, 1, 2, 4, 5]], (np.arange(5) - 4.5) / 40)


def test_trials_and_gaps_are_where_they_were_sent(moment: Moment) -> None:
    assert list(trials(moment)) == [(0, 40, 1), (50, 80, 2)]
    assert stretches(~moment.rows["observed"]) == [(40, 50)]


def test_a_trial_played_again_is_told_apart() -> None:
    moment = moment_of(small_recording(), [*range(50, 60), *range(50, 60)])
    assert list(trials(moment)) == [(0, 10, 1), (10, 20, 1)]


def test_a_moving_average_ignores_what_is_missing() -> None:
    averaged = moving_average(np.array([1.0, 3.0, np.nan, 5.0, 5.0]), 3)
    np.testing.assert_allclose(averaged, [2, 2, np.nan, 5, 5])


@pytest.mark.parametrize(
    "bins", [[], [60], [45, 46, 47], range(200)], ids=["nothing", "one bin", "nothing observed", "all"]
)
@pytest.mark.parametrize("width", [300, 1200])
def test_whatever_was_sent_can_be_drawn(bins: Any, width: int) -> None:
    svg = draw(moment_of(small_recording(gaps=True), bins), (), "svg", COLOURS, width)
    assert ("Nothing was sent yet" in texts(svg)) == (len(bins) == 0)


def test_a_recording_without_positions_trials_or_means_can_be_drawn() -> None:
    moment = moment_of(small_recording(n_units=1), range(20), mean_rates=np.array([np.nan]), trials={})
    moment.rows["kinematics"] = np.nan
    moment.rows["trial"] = -1
    drawn = texts(draw(moment, (), "svg", COLOURS, 1200))
    assert "No position, no target" in drawn


# What is said


def test_the_caption_names_session_recording_time_and_perturbation(moment: Moment) -> None:
    assert heading(moment) == "Session deck, recording small"
    assert caption(moment) == (
        "Newest bin 2023-11-14 22:13:21 UTC, at 3.23 s of the recording. No perturbation. "
        "Hatched: not recorded. The recording is synthetic."
    )
    moment.rows["perturbation"] = 1
    assert "Perturbation: noise (sd 0.5); seed 7." in caption(moment)
    moment.rows["perturbation"][:20] = 0
    assert "noise (sd 0.5, in 75% of the bins)" in caption(moment)
    assert "at 2.5 times real time." in caption(replace(moment, speed=2.5))
    drawn = texts(draw(moment, ("timing",), "svg", COLOURS, 1200))
    assert heading(moment) in drawn
    assert caption(moment) in drawn


def test_settings_that_changed_after_the_first_disturbed_bin_are_not_told(moment: Moment) -> None:
    moment.rows["perturbation"][20:] = 1
    before, after = (Note("perturbation noise", due, START + due) for due in (0.49, 1.0))
    assert "noise (sd 0.5, in" in caption(replace(moment, notes=(before,)))
    assert "noise (changed meanwhile, in" in caption(replace(moment, notes=(before, after)))


def test_notes_stand_at_the_first_bin_after_them(moment: Moment) -> None:
    asked = tuple(Note(text, due, START + due) for text, due in (("seek 50", 0.99), ("pause", 9.0)))
    assert notes(replace(moment, notes=asked)) == [(-1.0, "seek 50")]


def test_names_are_shown_as_they_are(moment: Moment) -> None:
    odd = replace(moment, recording=r"$\frac & <b>", session="s" * 64)
    assert r"$\frac &amp; &lt;b&gt;" in texts(draw(odd, ("timing",), "svg", COLOURS, 300))


# Where it stands


def test_panels_never_overlap_and_stay_within_the_picture() -> None:
    for n in range(1, len(PANELS) + 1):
        for names in combinations(PANELS, n):
            for pixels in (300, 800, 1200):
                made = arrange({name: PANELS[name] for name in names}, pixels)
                boxes = [*made.boxes.values(), *([made.strip] if made.strip else [])]
                assert set(made.boxes) == set(names)
                for box in boxes:
                    assert box.x > 0
                    assert box.x + box.width < made.width
                    assert box.y + box.height <= made.height
                for a, b in combinations(boxes, 2):
                    beside = a.x + a.width <= b.x or b.x + b.width <= a.x
                    assert beside or a.y + a.height <= b.y or b.y + b.height <= a.y


# Decoders


def decoded(moment: Moment, off: float, r2: float) -> Decoded:
    return Decoded((moment.rows["kinematics"][:, :2] + off).astype(np.float32), r2, r2 / 2)


def test_decoders_have_cursor_name_r2_and_the_colour_of_the_page(moment: Moment) -> None:
    decoders = {"wiener": decoded(moment, 3.0, 0.9), "kalman": decoded(moment, -3.0, -0.5)}
    answered = replace(moment, names=("kalman", "gone", "wiener"), decoders=decoders)
    svg = draw(answered, ("arena",), "svg", COLOURS, 800)
    owners = marked(answered.names, decoders)

    assert "wiener  R² 0.90" in texts(svg)
    assert "kalman  R² -0.50" in texts(svg)
    assert "gone" not in texts(svg)
    assert "wiener 0.90, 0.45; kalman -0.50, -0.25" in caption(answered)
    for i, (role, _) in enumerate(MARKS):
        drawn = COLOURS[role].encode() in svg
        assert drawn == (owners[i] in decoders), role


def test_decoder_that_has_answered_nothing_here_is_not_in_the_picture(moment: Moment) -> None:
    assert "R²" not in caption(replace(moment, names=("wiener",)))
