"""What a person can set of the detection of spikes."""

from __future__ import annotations

from typing import Any, Final

import param

from engine.errors import BadSetting
from engine.tuned import Levels, Tuned, once

LOWEST: Final = -10_000.0
"""uV, of a threshold that is set by hand."""


class Detection(Tuned):
    """How spikes are found in voltages.

    Raises
    ------
    BadSetting
        If a threshold is not below 0, or a channel has two.
    """

    k = param.Number(
        4.0,
        bounds=(2.0, 10.0),
        softbounds=(3.5, 5.0),
        doc="A spike begins where the signal falls below so many times the noise, with a minus.",
    )
    low = param.Number(300.0, bounds=(10.0, 1000.0), constant=True, doc="Lower edge of the band, Hz.")
    high = param.Number(3000.0, bounds=(1500.0, 12_000.0), constant=True, doc="Upper edge, Hz.")
    reference = param.Boolean(
        False, doc="Whether the mean of all channels that are there is taken from each (common average)."
    )
    thresholds: Any = Levels(
        doc="Pairs of a channel and its threshold, uV below 0, that is set by hand; the noise sets others."
    )
    missing: Any = param.List(
        [],
        item_type=int,
        doc="Channels that are left out: nothing is found there, decoders get 0, and the common reference "
        "is without them.",
    )
    time_constant = param.Number(
        5.0, bounds=(0.2, 600.0), doc="With which the noise follows that of the last 0.2 s, s."
    )
    n_components = param.Integer(2, bounds=(1, 8), constant=True, doc="Of waveforms, that are features.")
    components: Any = param.Selector(
        default="frozen",
        objects=["frozen", "adapting"],
        constant=True,
        doc="Whether the components stay as the first waveforms had them, or follow all that come.",
    )
    fitted_on = param.Integer(
        2000, bounds=(256, 10**6), constant=True, doc="Waveforms from which the components are first had."
    )

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        seen: set[int] = set()
        for channel, level in self.thresholds:
            if not LOWEST <= level < 0:
                raise BadSetting(
                    f"A threshold is below 0 uV, not {level:g}. Give it with a minus, down to {LOWEST:,g}."
                )
            if channel in seen:
                raise BadSetting(f"Channel {channel} has two thresholds. Give it one.")
            seen.add(channel)
        once("missing", self.missing)
