"""What a person can set of simulated electrodes."""

from __future__ import annotations

from typing import Any, Final

import param

from engine.broadband import MICROVOLTS_PER_COUNT, MOST_CHANNELS
from engine.errors import BadSetting
from engine.tuned import Pairs, Tuned, once

MICROVOLTS = (0.0, 5000.0)
ELSEWHERE: Final = ("n_channels", "seed", "units_per_channel", "baseline", "modulation", "ceiling")
"""What a session has from its source, its seed, and the spikes of its recording."""


class Electrodes(Tuned):
    """An array of electrodes in tissue. Voltages are in uV, root mean square where noise is meant.

    What is no constant may change between two blocks (`ElectrodeArray.change`).

    Raises
    ------
    BadSetting
        If a dead, noisy or shorted channel is none of the array's.
    """

    voltages: Any = param.Selector(
        default="auto",
        objects=["auto", "file", "simulated"],
        constant=True,
        doc="Those of the recording's file, or simulated; `auto` has the file's where there are any. Of a "
        "file's, nothing else here holds but microvolts_per_count, where it has no counts of its own.",
    )
    n_channels = param.Integer(
        96, bounds=(1, MOST_CHANNELS), constant=True, doc="Electrodes, each a channel."
    )
    units_per_channel = param.Range(
        (1, 3),
        bounds=(0, 8),
        constant=True,
        doc="Fewest and most units near an electrode. Those of a recording are dealt to channels in turn.",
    )
    baseline = param.Range(
        (5.0, 50.0),
        bounds=(0.0, 200.0),
        constant=True,
        doc="Lowest and highest firing rate at rest, Hz; not of a recording.",
    )
    modulation = param.Number(
        0.5,
        bounds=(0.0, 1.0),
        constant=True,
        doc="Greatest change of a rate with intention, as a share of its baseline.",
    )
    ceiling = param.Number(200.0, bounds=(1.0, 500.0), constant=True, doc="Rate that no unit exceeds, Hz.")
    amplitude = param.Range(
        (40.0, 120.0), bounds=MICROVOLTS, constant=True, doc="Depth of the units' troughs, uV."
    )
    amplitude_jitter = param.Number(
        0.1, bounds=(0.0, 0.5), doc="Standard deviation of a spike's amplitude, as a share of its unit's."
    )
    drift = param.Number(
        0.1, bounds=(0.0, 1.0), doc="By how much a unit's amplitude goes up and down, as a share of it."
    )
    drift_period = param.Number(
        300.0, bounds=(1.0, 1e6), constant=True, doc="Of that, s; from unit to unit by half of it."
    )
    pink = param.Number(20.0, bounds=MICROVOLTS, doc="Noise of the tissue, 1/f in power, uV.")
    thermal = param.Number(8.0, bounds=MICROVOLTS, doc="White noise of electrode and amplifier, uV.")
    line = param.Number(0.0, bounds=MICROVOLTS, doc="Amplitude of the hum of the mains, uV.")
    line_frequency: Any = param.Selector(
        default=50, objects=[50, 60], constant=True, doc="Of the mains, Hz."
    )
    common = param.Number(0.0, bounds=MICROVOLTS, doc="Pink noise that all channels share, uV.")
    bursts = param.Number(0.0, bounds=(0.0, 600.0), doc="Artefacts on all channels, a minute.")
    burst = param.Number(1000.0, bounds=MICROVOLTS, doc="Their greatest amplitude, uV.")
    burst_duration = param.Number(0.1, bounds=(0.005, 1.0), constant=True, doc="Of an artefact, s.")
    dead: Any = param.List([], item_type=int, doc="Channels with no tissue: the amplifier's own noise.")
    noisy: Any = param.List([], item_type=int, doc="Channels with a bad contact: white noise on top.")
    noisy_level = param.Number(100.0, bounds=MICROVOLTS, doc="That noise, uV.")
    shorted: Any = Pairs(doc="Pairs of channels that both show their mean.")
    microvolts_per_count = param.Number(
        0.25,
        bounds=MICROVOLTS_PER_COUNT,
        constant=True,
        doc="Of the int16 that come out; more than 32,767 of it are clipped.",
    )
    seed = param.Integer(
        0, bounds=(0, 2**63 - 1), constant=True, doc="The same seed gives the same samples."
    )

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        pairs = [channel for pair in self.shorted for channel in pair]
        for channel in (*self.dead, *self.noisy, *pairs):
            if channel not in range(self.n_channels):
                raise BadSetting(f"Unknown channel {channel}. There are 0 to {self.n_channels - 1}.")
        for pair in self.shorted:
            if len(set(pair)) != 2 or len(pair) != 2:
                raise BadSetting(f"A short is between two channels, not {pair}. Give pairs.")
        once("dead", self.dead)
        once("noisy", self.noisy)
        once("shorted", map(frozenset, self.shorted), self.n_channels)
