"""From bins to what is drawn: one value for each column of time on screen, or a rate for each unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.delivery import received
from engine.bins.schema import Rows
from plotters.base import Floats, News


def last_of_columns(news: News, values: npt.NDArray[Any], k: int) -> Floats:
    """The value of each column's last bin.

    It is missing in the first column after a jump, where a line would join what does not belong together.

    Parameters
    ----------
    news : News
    values : ndarray, shape (n, ...)
        Of the newest n of the recent bins, whole columns.
    k : int
        Bins in a column.

    Returns
    -------
    ndarray of float32, shape (n // k, ...)
    """
    columns = values[k - 1 :: k].astype(np.float32)
    jumps = news.jumps[len(news.jumps) - len(values) :]
    columns[jumps.reshape(-1, k).any(axis=1)] = np.nan
    return columns


def highest_of_columns(values: npt.NDArray[Any], k: int) -> Floats:
    """The highest value of each column, shape (n // k,); NaN where all are."""
    columns: Floats = np.fmax.reduce(values.reshape(-1, k), axis=1).astype(np.float32)
    return columns


def spike_rates(rows: Rows, bin_width: float) -> Floats:
    """Spikes per second of observed time, lost bins aside, shape (n_units,); NaN if there was none."""
    known = received(rows)
    seconds = np.count_nonzero(known) * bin_width
    spikes = rows["counts"][known].sum(axis=0, dtype=np.uint32)
    rates: Floats = np.divide(spikes, seconds or np.nan, dtype=np.float32)
    return rates
