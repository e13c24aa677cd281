"""What happens in a trial, found by the bin in which it happens."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from engine.bins.trials import EVENT_NAMES, event_time
from engine.sources.recordings.recording import Recording


@lru_cache(maxsize=8)
def trial_events(recording: Recording) -> dict[int, tuple[str, ...]]:
    """Events by bin, such as ``{120: ("target_on 3",)}``: a name and the trial's id.

    A trial starts with its first bin and ends with its last, so that an event belongs to a bin that
    is played whenever its trial is.
    """
    events: dict[int, tuple[str, ...]] = {}
    trial_of_bin = recording.bins["trial"]
    inside = np.flatnonzero(trial_of_bin >= 0)
    rows, firsts = np.unique(trial_of_bin[inside], return_index=True)
    _, lasts = np.unique(trial_of_bin[inside][::-1], return_index=True)
    for row, first, last in zip(
        rows.tolist(), inside[firsts].tolist(), inside[::-1][lasts].tolist(), strict=True
    ):
        trial = recording.trials[row]
        for event, name in EVENT_NAMES.items():
            time = event_time(trial, event)
            if not math.isnan(time):
                index = min(max(recording.bin_at(time), first), last)
                events[index] = (*events.get(index, ()), f"{name} {trial.trial_id}")
    return events
