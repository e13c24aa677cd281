"""Bad channels and the threshold of spikes, and how well spikes are found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, slider, stack
from dashboard.live.ids import (
    parse_ids,
    parse_levels,
    parse_pairs,
    spell_ids,
    spell_levels,
    spell_pairs,
)
from dashboard.table import Row, Table
from engine.geometry import PITCH, places
from engine.sources.electrodes.implant import Implant, implant_of
from engine.sources.electrodes.judge import Detected
from engine.stages.detection.settings import Detection
from engine.view import scope_channels
from sessions.session import Session

WORST: Final = 5
"""Channels that are listed."""
CHANNELS: Final = {"dead": "Dead channels", "noisy": "Noisy channels", "shorted": "Shorted pairs"}
TYPED: Final[Mapping[str, Callable[[str], Any]]] = {
    "thresholds": parse_levels,
    "missing": lambda text: list(parse_ids(text)),
}
"""Settings of the detection that are typed in."""
WAITS: Final = Row("waits", ("Known 2 s after the first bin", ""))


class Detecting(Controls):
    """What can be changed of electrodes and of detection, as far as people do so by hand; REST has more."""

    k = param.Number(default=4.0, doc=Detection.param.k.doc)
    reference = param.Boolean(label="Common average reference", doc=Detection.param.reference.doc)
    thresholds = param.String(label="Thresholds by hand, uV")
    missing = param.String(label="Channels left out", doc=Detection.param.missing.doc)
    dead = param.String(label=CHANNELS["dead"])
    noisy = param.String(label=CHANNELS["noisy"])
    shorted = param.String(label=CHANNELS["shorted"])

    def declare(self) -> None:
        self._found = Table(("Newest 10 s", "All"))
        self._worst = Table(("Worst", "Recall", "Prec.", "Noise"))

    @property
    def _implant(self) -> Implant:
        implant = implant_of(self.session.replay.source)
        assert implant is not None
        return implant

    def read(self) -> dict[str, Any]:
        array, detection = self._implant.tuning.array, self._implant.tuning.detection.settings
        return {
            "k": detection["k"],
            "reference": detection["reference"],
            "thresholds": spell_levels(detection["thresholds"]),
            "missing": spell_ids(detection["missing"]),
            "dead": spell_ids(array.dead),
            "noisy": spell_ids(array.noisy),
            "shorted": spell_pairs(array.shorted),
        }

    def write(self, changes: Mapping[str, Any]) -> None:
        ((name, value),) = changes.items()
        if name in CHANNELS:
            listed = parse_pairs(value) if name == "shorted" else list(parse_ids(value))
            self.session.replay.tune("electrodes", {name: listed})
        else:
            read = TYPED.get(name)
            self.session.replay.tune("detection", {name: read(value) if read else value})

    def follow(self) -> None:
        super().follow()
        found = self._implant.detected
        self._found.fill([WAITS] if found is None else in_all(found))
        self._worst.fill([] if found is None else worst(found))

    def view(self) -> Viewable:
        start, end = Detection.param.k.softbounds
        widgets = pn.widgets
        return stack(
            slider(self, "k", "Threshold, times the noise", start, end, 0.1),
            widgets.TextInput.from_param(self.param.thresholds, placeholder="none, as in 3: -60"),
            widgets.TextInput.from_param(self.param.missing, placeholder="none"),
            widgets.Switch.from_param(self.param.reference),
            *(
                widgets.TextInput.from_param(self.param[name], placeholder="none")
                for name in (CHANNELS if self._implant.recorded is None else ())
            ),
            self._found,
            self._worst,
        )


def drag_threshold(session: Session, row: int, height: float | None) -> None:
    """Set the threshold of an electrode in the scope by hand, or give it back to its noise.

    Parameters
    ----------
    session : Session
    row : int
        In the scope, from above.
    height : float or None
        On its axis, where row 0 is at 0, row 1 at -1 and so on.

    Raises
    ------
    BadSetting
        If that is not below 0 uV.
    """
    implant, view = implant_of(session.replay.source), session.view
    channels = scope_channels(session.description, view)
    if implant is None or row not in range(len(channels)):
        return
    levels = dict(implant.tuning.by_hand)
    levels.pop(channels[row], None)
    if height is not None:
        levels[channels[row]] = round((height + row) * view.scope_microvolts, 1)
    if levels != implant.tuning.by_hand:
        session.replay.tune("detection", {"thresholds": sorted(levels.items())})


def choose_electrode(session: Session, x: float, y: float) -> None:
    """Show the waveforms of the electrode at a place of the array, mm, if there is one."""
    offset = np.abs(places(session.description.n_units) - (x, y)).max(axis=1)
    nearest = int(offset.argmin())
    if session.description.sampled and offset[nearest] < PITCH / 2:
        session.change_view({"waveform_channel": nearest})


def in_all(found: Detected) -> list[Row]:
    """How the detection does, one line a measure."""
    matched = found.matched
    late, _ = matched.timing_error
    measures = {
        "Recall": _number(matched.recall_in_all, ".2f"),
        "Precision": _number(matched.precision_in_all, ".2f"),
        "Lateness": _number(1e6 * late, ".0f", "us"),
        "Noise, median": _number(float(np.median(found.noise)), ".1f", "uV"),
        "Threshold, median": _number(float(np.median(found.thresholds)), ".1f", "uV"),
    }
    return [Row(name, (name, value)) for name, value in measures.items()]


def worst(found: Detected) -> list[Row]:
    """The channels with the least F1, the harmonic mean of recall and precision, of those with spikes."""
    matched = found.matched
    (fired,) = np.nonzero(matched.n_true)
    f1 = 2 * matched.n_hits[fired] / (matched.n_true + matched.n_found)[fired]
    order = fired[np.argsort(f1, kind="stable")[:WORST]]
    return [
        Row(
            str(channel),
            (
                f"Ch. {channel}",
                _number(float(matched.recall[channel]), ".2f"),
                _number(float(matched.precision[channel]), ".2f"),
                _number(float(found.noise[channel]), ".1f"),
            ),
        )
        for channel in order
    ]


def _number(value: float, form: str, unit: str = "") -> str:
    if not math.isfinite(value):
        return "\N{EN DASH}"
    return f"{value:{form}} {unit}".rstrip().replace("-", "\N{MINUS SIGN}")
