"""What is asked of a detection of spikes, such as that of `engine.stages.detection`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.broadband import Counts16, Floats32, Samples
from engine.sources.electrodes.signal import There
from engine.sources.electrodes.truth import Channels
from engine.sources.electrodes.tuning import Tunes


class Counted(Protocol):
    """What is found in a bin: counts, shape (n_channels,), and features, shape (n_channels, n)."""

    @property
    def counts(self) -> npt.NDArray[np.int64]: ...
    @property
    def features(self) -> Floats32: ...


class Completed(Protocol):
    """Spikes that are found: the samples of their troughs, and their channels."""

    @property
    def troughs(self) -> Samples: ...
    @property
    def channels(self) -> Channels: ...


class Brought(Protocol):
    """What a detector says of samples: the bins that are over, and spikes that were completed."""

    @property
    def bins(self) -> Sequence[Counted]: ...
    @property
    def waveforms(self) -> Completed: ...


class Detects(Tunes, Protocol):
    """Finds spikes in voltages, such as `engine.stages.detection.detector.Detector`."""

    @property
    def thresholds(self) -> Floats32: ...
    @property
    def noise(self) -> Floats32: ...
    def process(self, voltages: Counts16, there: There | None = None, /) -> Brought: ...
