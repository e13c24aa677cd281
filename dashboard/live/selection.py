"""Which bins are played: targets, trials, outcome, part of the trial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, fields
from dashboard.live.ids import parse_ids, spell_ids
from engine.bins.description import Description
from engine.bins.selection import EVERYTHING
from engine.bins.trials import TrialEvent, event_time

EVENTS: Final[Mapping[TrialEvent, str]] = {
    "start": "start",
    "target_on": "target on",
    "go_cue": "go cue",
    "move_onset": "movement onset",
    "stop": "end",
}
"""Of a trial, as people call them."""
OUTCOMES: Final[Mapping[str, bool | None]] = {"any": None, "succeeded": True, "failed": False}


class Selecting(Controls):
    """Chooses what is played."""

    targets = param.ListSelector(default=[], label="Targets")
    trials = param.String(default="", label="Trials")
    outcome: Any = param.Selector(default="any", objects=[*OUTCOMES], label="Outcome")
    begin: Any = param.Selector(default="start", objects=["start"], label="From")
    begin_offset = param.Number(default=0.0, step=0.1, allow_None=True, label="From, plus seconds")
    end: Any = param.Selector(default="stop", objects=["stop"], label="To")
    end_offset = param.Number(default=0.0, step=0.1, allow_None=True, label="To, plus seconds")

    def declare(self) -> None:
        recording = self.session.recording
        events = events_of(recording)
        self.param.targets.objects = {str(target): target for target in recording.target_ids}
        for part in (self.param.begin, self.param.end):
            part.objects = events

    def read(self) -> dict[str, Any]:
        now = self.session.replay.selection
        return {
            "targets": list(now.target_ids),
            "trials": spell_ids(now.trial_ids),
            "outcome": next(name for name, success in OUTCOMES.items() if success is now.success),
            "begin": now.begin,
            "begin_offset": now.begin_offset,
            "end": now.end,
            "end_offset": now.end_offset,
        }

    def write(self, changes: Mapping[str, Any]) -> None:  # noqa: ARG002
        now = self.session.replay.selection
        self.session.replay.set_selection(
            replace(
                now,
                trial_ids=parse_ids(self.trials),
                target_ids=tuple(sorted(self.targets)),
                success=OUTCOMES[self.outcome],
                begin=self.begin,
                begin_offset=float(self.begin_offset or 0),
                end=self.end,
                end_offset=float(self.end_offset or 0),
            )
        )

    def toggle(self, target: int) -> None:
        """Add a target to the selection, or take it away."""
        self.targets = sorted({*self.targets} ^ {target})

    def view(self) -> Viewable:
        widgets = pn.widgets
        chosen: list[Any] = [
            widgets.TextInput.from_param(self.param.trials, placeholder="all, or 1-20, 45"),
            widgets.Select.from_param(self.param.outcome),
            widgets.Select.from_param(self.param.begin),
            widgets.FloatInput.from_param(self.param.begin_offset),
            widgets.Select.from_param(self.param.end),
            widgets.FloatInput.from_param(self.param.end_offset),
            button("Clear the selection", lambda: self.session.replay.set_selection(EVERYTHING), "whole"),
        ]
        if self.session.recording.target_ids:
            chosen[:0] = [
                widgets.StaticText(
                    value="Targets; a click in the arena does the same", css_classes=["title", "whole"]
                ),
                widgets.CheckBoxGroup.from_param(
                    self.param.targets, inline=True, css_classes=["chips", "whole"]
                ),
            ]
        return fields(*chosen)


def events_of(recording: Description) -> dict[str, TrialEvent]:
    """The events that a trial of a recording has, by the name that people give them."""
    return {
        name: event
        for event, name in EVENTS.items()
        if any(math.isfinite(event_time(trial, event)) for trial in recording.trials)
        or event in ("start", "stop")
    }
