"""From bins to columns of time: one value for each column on screen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
