"""What stands at the playhead while nothing is sent: bins of the recording, as they are in the file."""

from __future__ import annotations

import numpy as np

from engine.bins.description import Recorded
from engine.bins.schema import Rows


def last_shown(recording: Recorded, packet_id: int) -> int:
    """The last bin that is shown with the playhead at one: of who went to a trial, the trial's last."""
    trial = recording.bins["trial"]
    row = trial[packet_id]
    if row < 0 or (packet_id and trial[packet_id - 1] == row):
        return packet_id
    after = np.flatnonzero(trial[packet_id:] != row)
    return packet_id + int(after[0]) - 1 if len(after) else len(trial) - 1


def bins_up_to(recording: Recorded, packet_id: int, n: int, columns: int, dtype: np.dtype[np.void]) -> Rows:
    """The bins of a recording that end with one, as if they had been sent on time and undisturbed.

    Parameters
    ----------
    recording : Recorded
    packet_id : int
        The last of them.
    n : int
        How many at most.
    columns : int
        Their number is a multiple of that, unless there are fewer.
    dtype : dtype
        `engine.bins.schema.row_dtype` of the recording.

    Returns
    -------
    ndarray, shape (m,)
        ``lateness`` is NaN, and ``sequence_number`` is ``packet_id``.
    """
    end = packet_id + 1
    first = max(end - n, end % columns if end >= columns else 0)
    bins = recording.bins[first:end]
    rows = np.zeros(len(bins), dtype)
    for name in bins.dtype.names or ():
        rows[name] = bins[name]
    rows["sequence_number"] = bins["packet_id"]
    rows["timestamp"] = rows["due"] = bins["packet_id"] / recording.bin_rate
    rows["lateness"] = np.nan
    return rows
