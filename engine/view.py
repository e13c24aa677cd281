"""How a session is looked at: shared by all who watch it, and without any effect on what is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import param

from engine.analysis.rates import mean_rates
from engine.analysis.tuning import preferred_directions
from engine.bins.description import Description, recorded
from engine.bins.selection import spell_ids
from engine.broadband import MOST_CHANNELS
from engine.errors import BadSetting
from engine.tuned import Tuned

Units = npt.NDArray[np.intp]

MOST_BOOKMARKS: Final = 1000
SCOPE: Final = 16
"""Electrodes that are drawn at once, at most."""
FIRST: Final = 8
"""That are, unless some are chosen."""


class View(Tuned):
    """How pages show a session."""

    order: Any = param.Selector(
        default="index",
        objects=["index", "rate", "direction"],
        constant=True,
        doc="Of the units from below: by `index`, by mean `rate`, or by preferred `direction` "
        "(untuned ones last).",
    )
    hidden_units = param.List(
        default=[], item_type=int, constant=True, doc="Units that the raster leaves out."
    )
    hit_radius = param.Number(
        default=10.0,
        bounds=(0.0, 1000.0),
        softbounds=(1.0, 50.0),
        inclusive_bounds=(False, True),
        constant=True,
        doc="Of a target, in the recording's length unit: how near is a hit.",
    )

    scope_channels = param.List(
        default=[],
        item_type=int,
        bounds=(0, SCOPE),
        constant=True,
        doc="Electrodes whose voltages are drawn, from above; the first 8 if empty.",
    )
    scope_seconds = param.Number(
        default=1.0, bounds=(0.2, 5.0), constant=True, doc="Of voltages, that are drawn."
    )
    scope_microvolts = param.Number(
        default=100.0,
        bounds=(10.0, 10_000.0),
        softbounds=(50.0, 500.0),
        constant=True,
        doc="Between the lines of two electrodes.",
    )
    waveform_channel = param.Integer(
        default=-1,
        bounds=(-1, MOST_CHANNELS - 1),
        constant=True,
        doc="Electrode whose waveforms are drawn; the first of the scope if -1.",
    )
    bookmarks = param.List(
        default=[],
        item_type=int,
        constant=True,
        doc="Bins of the recording that people want to find again.",
    )


PLAIN = View()
"""What every session begins with. A view itself never changes: `changed` makes another one."""


def usual_view(description: Description) -> View:
    """What a session begins with: in closed loop a hit is as near as its task has it."""
    goal = description.goal
    return PLAIN if goal is None else changed(PLAIN, {"hit_radius": goal.radius}, description)


def changed(view: View, settings: Mapping[str, Any], description: Description) -> View:
    """The same view but for these settings.

    Raises
    ------
    BadSetting
        If one is unknown or out of bounds, or a unit is.
    """
    for name in settings:
        if name not in view.settings:
            raise BadSetting(f"Unknown setting {name!r} of a view. There are {', '.join(view.settings)}.")
    try:
        new = View(**{**view.settings, **settings})
    except (TypeError, ValueError) as error:
        raise BadSetting(str(error)) from None
    for unit in new.hidden_units:
        if not 0 <= unit < description.n_units:
            known = spell_ids(list(range(description.n_units)), "unit")
            raise BadSetting(f"Unknown unit {unit}. There are {known}.")
    for name, channels in (
        ("scope_channels", new.scope_channels),
        ("waveform_channel", [new.waveform_channel] if new.waveform_channel >= 0 else []),
    ):
        for channel in channels:
            if not 0 <= channel < description.n_units or not description.sampled:
                raise BadSetting(_unknown_electrode(channel, description, name))
    if new.bookmarks:
        _check_bookmarks(new.bookmarks, description)
    ordered = {name: sorted(set(getattr(new, name))) for name in ("hidden_units", "bookmarks")}
    return View(**{**new.settings, **ordered})


def _check_bookmarks(bookmarks: Sequence[int], description: Description) -> None:
    recording = recorded(description)
    if recording is None:
        raise BadSetting(
            f"This session has no recording to put bookmark {bookmarks[0]} in. Leave bookmarks out."
        )
    if len(bookmarks) > MOST_BOOKMARKS:
        raise BadSetting(f"{len(bookmarks)} bookmarks are too many. Send {MOST_BOOKMARKS} at most.")
    for bin_ in bookmarks:
        if not 0 <= bin_ < recording.n_bins:
            raise BadSetting(f"There is no bin {bin_} to bookmark. There are 0 to {recording.n_bins - 1}.")


def _unknown_electrode(channel: int, description: Description, name: str) -> str:
    if not description.sampled:
        return f"This session has no voltages to show. Leave {name} out."
    known = spell_ids(list(range(description.n_units)), "electrode")
    return f"Unknown electrode {channel}. There are {known}."


def scope_channels(description: Description, view: View) -> list[int]:
    """The electrodes whose voltages are drawn."""
    return view.scope_channels or list(range(min(FIRST, description.n_units)))


def waveform_channel(description: Description, view: View) -> int:
    """The electrode whose waveforms are drawn."""
    chosen = view.waveform_channel
    return chosen if chosen >= 0 else scope_channels(description, view)[0]


@lru_cache(maxsize=64)
def shown_units(description: Description, view: View) -> Units:
    """The units that are not hidden, in the view's order, shape (n_shown,)."""
    units = unit_order(description, view.order)
    return units[~np.isin(units, view.hidden_units)]


@lru_cache(maxsize=12)
def unit_order(description: Description, order: str) -> Units:
    """All units in an order of `View.order`, shape (n_units,); those without a value come last.

    What no recording is known of stays in the order of the units' indices.
    """
    recording = recorded(description)
    if recording is None or order == "index":
        return np.arange(description.n_units)
    values = mean_rates(recording) if order == "rate" else preferred_directions(recording)
    return np.argsort(values, kind="stable")
