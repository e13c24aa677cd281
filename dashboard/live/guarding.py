"""What the cursors of decoders may do: limits of speed and jumps, and the watchdog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn
from panel.viewable import Viewable

from dashboard.live.controls import Controls, fields
from engine.answers.safety import Limits


class Guarding(Controls):
    """The parameters of `engine.answers.safety.Limits`, which can be set here."""

    def declare(self) -> None:
        names = [name for name in Limits.param if name != "name"]
        self.limits = Limits(**self.session.safety.limits.settings)
        for name in names:
            limit = self.limits.param[name]
            limit.constant, limit.bounds, limit.allow_None = False, None, True  # the session checks
        self.limits.param.watch(self._set, names)

    def write(self, changes: Mapping[str, Any]) -> None:
        self.session.safety.change(changes)

    def follow(self) -> None:
        self._take(self.limits, self.session.safety.limits.settings)

    def view(self) -> Viewable:
        unit = self.session.description.length_unit
        labels = {
            "max_speed": f"Speed, {unit}/s",
            "max_jump": f"Jump, {unit}/bin",
            "watchdog": "Watchdog, s",
        }
        return fields(
            *(
                pn.widgets.FloatInput.from_param(
                    self.limits.param[name], label=label, description=self.limits.param[name].doc
                )
                for name, label in labels.items()
            )
        )
