"""What a stream says of itself, and whether its bins can be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pylsl

from engine.errors import BadSetting

NUMBERS: Final = (
    pylsl.cf_float32, pylsl.cf_double64, pylsl.cf_int8, pylsl.cf_int16, pylsl.cf_int32, pylsl.cf_int64,
)  # fmt: skip
ROUNDED: Final = 1e-6
"""How near to a whole number the ratio of two rates must be."""


@dataclass(frozen=True)
class StreamHeader:
    """One stream.

    Attributes
    ----------
    name, source_id : str
    rate : float
        Nominal, Hz; 0 of an irregular one.
    n_channels : int
    numbers : bool
        Whether its channels are numbers, not text.
    labels, units : tuple of str
        Of its channels; empty where the stream names none.
    can_drop : bool
        Whether it says that samples may be missing, so that its time stamps are to be taken as they are.
    """

    name: str
    source_id: str
    rate: float
    n_channels: int
    numbers: bool
    labels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    can_drop: bool = False

    @property
    def kind(self) -> tuple[int, float, bool]:
        """What must stay the same while a session plays it."""
        return self.n_channels, self.rate, self.numbers

    def told(self) -> str:
        """The same in words."""
        rate = f"{self.rate:g} Hz" if self.rate else "an irregular rate"
        return f"{self.n_channels} channels of {'numbers' if self.numbers else 'text'} at {rate}"


def header_of(info: pylsl.StreamInfo) -> StreamHeader:
    """Those of a stream; one that was only found on the network has no labels and units yet."""
    labels, units = [], []
    channel = info.desc().child("channels").child("channel")
    while not channel.empty():
        labels.append(channel.child_value("label"))
        units.append(channel.child_value("unit"))
        channel = channel.next_sibling()
    whole = len(labels) == info.channel_count() and all(labels) and len(set(labels)) == len(labels)
    synchronization = info.desc().child("synchronization")
    return StreamHeader(
        name=info.name(),
        source_id=info.source_id(),
        rate=info.nominal_srate(),
        n_channels=info.channel_count(),
        numbers=info.channel_format() in NUMBERS,
        labels=tuple(labels) if whole else (),
        units=tuple(units) if whole else (),
        can_drop=synchronization.child_value("can_drop_samples") == "true",
    )


def samples_a_bin(header: StreamHeader, bin_rate: float) -> int:
    """How many samples of a neural stream make a bin; 0 for one of spikes, at an irregular rate.

    Raises
    ------
    BadSetting
        If it is text, or its rate is no multiple of the bins'.
    """
    if not header.numbers:
        raise BadSetting(f"LSL stream {header.name!r} is text. Choose one whose channels are counts.")
    samples = round(header.rate / bin_rate)
    if header.rate and (samples < 1 or abs(header.rate / bin_rate - samples) > ROUNDED * samples):
        raise BadSetting(
            f"LSL stream {header.name!r} has {header.rate:g} Hz, which is no multiple of {bin_rate:g} bins "
            f"a second. Start the server with a --rate that divides it."
        )
    return samples
