"""The five LSL outlets of a session: neural, kinematics, intention, events and triggers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pylsl

from engine.bins.schema import Rows
from engine.bins.trials import EVENT_NAMES
from engine.lsl import clock_offset
from engine.sinks.base import Subject

MANUFACTURER = "PhantomDeck"
BUFFERED_SECONDS = 60
KINEMATICS = ("vx", "vy", "x", "y")
TRIGGERS = tuple(EVENT_NAMES.values())
INTENTION = ("target_id", "target_x", "target_y", "trial_id")
_ONE_HOT = {name: [float(name == each) for each in TRIGGERS] for name in TRIGGERS}


@dataclass(frozen=True)
class LslNames:
    """How a deployment calls its streams; both are settings."""

    stream_name: str = "PhantomLink"
    source_id: str = "phantomlink"


def make_outlet(
    names: LslNames,
    code: str,
    part: str,
    kind: str,
    value: int,
    rate: float,
    channels: Sequence[tuple[str, str]],
    channel_type: str | None = None,
    buffered: int = BUFFERED_SECONDS,
) -> pylsl.StreamOutlet:
    """An outlet of a session's.

    Parameters
    ----------
    names : LslNames
    code : str
        Of the session.
    part : str
        What it has of it, such as ``Neural``.
    kind : str
        Type of the stream.
    value : int
        Format of the channels, as pylsl numbers it.
    rate : float
        Samples per second.
    channels : sequence
        Label and unit of each.
    channel_type : str, optional
        Type of the channels; that of the stream if None.
    buffered : int
        Seconds that may wait for an inlet.
    """
    info = pylsl.StreamInfo(
        f"{names.stream_name}-{part}-{code}",
        kind,
        len(channels),
        rate,
        value,
        f"{names.source_id}-{part.lower()}-{code}",
    )
    desc = info.desc()
    desc.append_child_value("manufacturer", MANUFACTURER)
    listed = desc.append_child("channels")
    for label, unit in channels:
        channel = listed.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
        channel.append_child_value("type", channel_type or kind)
    # XDF readers smooth time stamps unless told that samples may be missing, as in a pause.
    desc.append_child("synchronization").append_child_value("can_drop_samples", "true")
    return pylsl.StreamOutlet(info, max_buffered=buffered)


class LslSink:
    """Publishes a session on the lab network.

    The triggers are for programs that cut epochs, such as MNE-LSL's ``EpochsStream(neural, 20, None,
    triggers.ch_names, triggers)``, whose ``events`` then tell the channel.

    Parameters
    ----------
    subject : Subject
        Its code is part of each stream's name and source id.
    names : LslNames
    """

    def __init__(self, subject: Subject, names: LslNames) -> None:
        code, description, rate = subject.code, subject.description, subject.rate
        self._trial_ids = description.trial_ids
        unit = description.length_unit
        speed = f"{unit}/s"

        outlet = partial(make_outlet, names, code)
        units = (speed, speed, unit, unit)
        targets = ("id", unit, unit, "id")
        self._outlets = [
            outlet(
                "Neural",
                "EEG",
                pylsl.cf_int32,
                rate,
                [(name, "none") for name in description.channel_names],
                "misc",  # as counts are: no program is to take them for microvolts
            ),
            outlet(
                "Kinematics",
                "Kinematics",
                pylsl.cf_float32,
                rate,
                list(zip(KINEMATICS, units, strict=True)),
            ),
            outlet(
                "Intention", "Markers", pylsl.cf_float32, rate, list(zip(INTENTION, targets, strict=True))
            ),
            outlet("Events", "Markers", pylsl.cf_string, pylsl.IRREGULAR_RATE, [("event", "")]),
            outlet(
                "Triggers",
                "Stimulus",
                pylsl.cf_float32,
                pylsl.IRREGULAR_RATE,
                [(name, "none") for name in TRIGGERS],
                "stim",
            ),
        ]
        self._offset = clock_offset()

    def wanted(self) -> bool:
        return any(outlet.have_consumers() for outlet in self._outlets)

    def push(self, rows: Rows) -> None:
        neural, kinematics, intention, _, _ = self._outlets
        stamps = (rows["due"] + self._offset).tolist()
        stamp = stamps if len(stamps) > 1 else stamps[0]
        if neural.have_consumers():
            neural.push_chunk(rows["counts"].astype(np.int32), stamp)
        if kinematics.have_consumers():
            kinematics.push_chunk(rows["kinematics"][:, (2, 3, 0, 1)], stamp)
        if intention.have_consumers():
            intention.push_chunk(self._intention(rows), stamp)

    def event(self, text: str, due: float) -> None:
        *_, events, triggers = self._outlets
        events.push_sample([text], due + self._offset)
        if sample := _ONE_HOT.get(text.partition(" ")[0]):
            triggers.push_sample(sample, due + self._offset)

    def close(self) -> None:
        self._outlets.clear()  # pylsl destroys an outlet when its last reference goes

    def _intention(self, rows: Rows) -> npt.NDArray[np.float32]:
        """target_id, target_x, target_y, trial_id, shape (n, 4); -1 for a missing id, 0 for a place."""
        values: npt.NDArray[np.float32] = rows["intention"].copy()
        values[:, 3] = [self._trial_ids[trial] if trial >= 0 else -1 for trial in rows["trial"].tolist()]
        values[:, 0] = np.nan_to_num(values[:, 0], nan=-1.0)
        return np.nan_to_num(values, copy=False)
