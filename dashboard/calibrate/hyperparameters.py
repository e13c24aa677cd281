"""Fields for a decoder's hyperparameters, as it declares them."""

from __future__ import annotations

from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import stack
from engine.decoders import DECODERS, Decoder
from engine.errors import BadSetting

RATE: Final = 40.0
"""Of a decoder that only holds hyperparameters; none depends on it."""


class Hyperparameters:
    """Those of the decoders of one page, which were fitted to nothing; made when they are shown."""

    def __init__(self) -> None:
        self._tuned: dict[str, Decoder] = {}
        self._view = stack()

    def view(self) -> Viewable:
        return self._view

    def show(self, decoder: str) -> None:
        """The fields of a decoder, in place of those of another."""
        if decoder not in self._tuned:
            self._tuned[decoder] = DECODERS[decoder](RATE)
        chosen = self._tuned[decoder]
        self._view.objects = [
            pn.Row(*(number(chosen.param[name]) for name in chosen.settings), css_classes=["many"])
        ]

    def settings(self, decoder: str) -> dict[str, Any]:
        """What was set to something else than the default.

        Raises
        ------
        BadSetting
            If a field was left empty.
        """
        chosen = self._tuned.get(decoder)
        if chosen is None:
            return {}
        for name, value in chosen.settings.items():
            if value is None and chosen.param[name].default is not None:
                raise BadSetting(f"{name} is a number, such as {chosen.param[name].default:g}.")
        return {
            name: value
            for name, value in chosen.settings.items()
            if value != type(chosen).param[name].default
        }


def number(parameter: Any) -> Viewable:
    """A field for a hyperparameter; what it may be, the engine checks."""
    parameter.bounds, parameter.allow_None = None, True
    whole = isinstance(parameter, param.Integer)
    field = pn.widgets.IntInput if whole else pn.widgets.FloatInput
    made: Viewable = field.from_param(
        parameter, label=parameter.name.replace("_", " "), description=parameter.doc
    )
    return made
