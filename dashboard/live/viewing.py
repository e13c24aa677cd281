"""How the session is looked at, by all who watch it: order of units, hidden units, hit radius."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, fields
from dashboard.live.ids import parse_ids
from engine.view import View, waveform_channel


class Viewing(Controls):
    """The parameters of `engine.view.View`, and which units are shown."""

    order: Any = param.Selector(
        default="index",
        objects={"by number": "index", "by rate": "rate", "by preferred direction": "direction"},
        label="Order of units",
    )
    hit_radius = param.Number(default=View.hit_radius, allow_None=True)
    shown = param.ListSelector(default=[], label="Units shown")
    scope_channels = param.String(default="", label="Electrodes of the scope", doc="At most 16.")
    scope_seconds = param.Number(default=View.scope_seconds, allow_None=True, label="Its seconds")
    scope_microvolts = param.Number(
        default=View.scope_microvolts, allow_None=True, label="uV from line to line"
    )
    waveform_channel = param.Integer(
        default=View.waveform_channel, allow_None=True, label="Electrode of the waveforms"
    )

    def declare(self) -> None:
        recording = self.session.description
        names = recording.channel_names
        twice = len(set(names)) < len(names)
        self.param.shown.objects = {f"{name} ({i})" if twice else name: i for i, name in enumerate(names)}
        self.param.hit_radius.label = f"Hit radius, {recording.length_unit}"

    def read(self) -> dict[str, Any]:
        now = self.session.view
        hidden = set(now.hidden_units)
        shown = [unit for unit in range(self.session.description.n_units) if unit not in hidden]
        return {
            "order": now.order,
            "hit_radius": now.hit_radius,
            "shown": shown,
            "scope_channels": ", ".join(map(str, now.scope_channels)),
            "scope_seconds": now.scope_seconds,
            "scope_microvolts": now.scope_microvolts,
            "waveform_channel": waveform_channel(self.session.description, now)
            if self.session.description.sampled
            else -1,
        }

    def write(self, changes: Mapping[str, Any]) -> None:
        settings = dict(changes)
        if "scope_channels" in settings:
            settings["scope_channels"] = list(parse_ids(settings["scope_channels"]))
        if "shown" in settings:
            shown = set(settings.pop("shown"))
            settings["hidden_units"] = [
                unit for unit in range(self.session.description.n_units) if unit not in shown
            ]
        self.session.change_view(settings)

    def view(self) -> Viewable:
        widgets = pn.widgets
        every = list(range(self.session.description.n_units))
        scope = (
            widgets.TextInput.from_param(self.param.scope_channels, placeholder="0-7", description=None),
            widgets.FloatInput.from_param(self.param.scope_seconds),
            widgets.FloatInput.from_param(self.param.scope_microvolts),
            widgets.IntInput.from_param(self.param.waveform_channel),
        )
        return fields(
            widgets.Select.from_param(self.param.order),
            widgets.FloatInput.from_param(self.param.hit_radius),
            *(scope if self.session.description.sampled else ()),
            button("Show all", lambda: self.param.update(shown=every)),
            button("Hide all", lambda: self.param.update(shown=[])),
            widgets.CheckBoxGroup.from_param(self.param.shown, css_classes=["units", "whole"]),
        )
