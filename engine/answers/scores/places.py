"""Where a decoder had the cursor at each bin of a recording, the last time that it answered it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.answers.scores.moments import Floats

Places = npt.NDArray[np.float32]


class LastPlaces:
    """Keeps 8 bytes a bin, from the first answer on.

    Parameters
    ----------
    n_bins : int or None
        Of the recording. Of what is none, nothing is kept.
    """

    def __init__(self, n_bins: int | None) -> None:
        self._n_bins = n_bins
        self._places: Places | None = None

    def note(self, packet_ids: npt.NDArray[np.int64], places: Floats) -> None:
        """Keep places, shape (n, 2), in length units."""
        if self._n_bins is None:
            return
        if self._places is None:
            self._places = np.full((self._n_bins, 2), np.nan, np.float32)
        self._places[packet_ids] = places

    def at(self, packet_ids: npt.NDArray[np.int64]) -> Places:
        """Those of bins, shape (n, 2); NaN where it has not answered."""
        if self._places is None:
            return np.full((len(packet_ids), 2), np.nan, np.float32)
        return self._places[packet_ids]
