"""What a reader finds in a file: spikes, kinematics and trials, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.answered import Answers
from engine.errors import RecordingError
from engine.files.voltages import VoltageSeries
from engine.sources.recordings.readers.choice import Chosen, choose
from engine.sources.recordings.readers.clock import Span, in_seconds, last_time
from engine.sources.recordings.readers.counts import BinnedSpikes
from engine.sources.recordings.readers.no_spikes import NoSpikes
from engine.sources.recordings.readers.series import Candidate
from engine.sources.recordings.readers.spike_trains import SpikeTrains
from engine.sources.recordings.readers.tables import Table
from engine.sources.recordings.readers.trial_choice import ChosenTrials, choose_trials
from engine.sources.recordings.readers.trials import read_trials
from engine.sources.recordings.readers.wanted import Wanted

Spikes = SpikeTrains | BinnedSpikes | NoSpikes


@dataclass(frozen=True, eq=False)
class Contents:
    """All that a recording is made of, read and chosen, and not yet binned.

    Attributes
    ----------
    spikes : SpikeTrains, BinnedSpikes or NoSpikes
        In seconds.
    kinematics : Chosen
        Position and velocity.
    trials : ChosenTrials
    series : mapping
        As `Recording.series` has it.
    synthetic : bool
    answers : Answers, optional
    warnings : tuple of str
        Of reading; those of the series and trials are with them.
    clock_is_given : bool
        Whether a person says in which unit spike times are.
    voltages : VoltageSeries, optional
    detection : mapping
        As `Recording.detection` has it.
    """

    spikes: Spikes
    kinematics: Chosen
    trials: ChosenTrials
    series: Mapping[str, Any]
    synthetic: bool
    answers: Answers | None
    warnings: tuple[str, ...]
    clock_is_given: bool
    voltages: VoltageSeries | None = None
    detection: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def chosen(
        cls,
        file_name: str,
        wanted: Wanted,
        spikes: Spikes,
        series: Sequence[Candidate],
        tables: Sequence[Table],
        *,
        broken: Mapping[str, str] = MappingProxyType({}),
        passed_over: Sequence[Mapping[str, str]] = (),
        synthetic: bool = False,
        answers: Answers | None = None,
        warnings: Sequence[str] = (),
        voltages: VoltageSeries | None = None,
        detection: Mapping[str, npt.NDArray[np.float64]] = MappingProxyType({}),
    ) -> Contents:
        """Choose among what there is.

        Parameters
        ----------
        file_name : str
            For messages.
        wanted : Wanted
            What a person chose.
        spikes : SpikeTrains, BinnedSpikes or NoSpikes
            Times as the file has them.
        series : sequence of Candidate
            The likeliest first.
        tables : sequence of Table
        broken : mapping
            Places of the file that could not be read, to the reason.
        passed_over : sequence of mapping
            name, path and reason of what else is not taken.
        warnings : sequence of str
        voltages : VoltageSeries, optional
        detection : mapping
            As `Recording.detection` has it.

        Raises
        ------
        RecordingError
            In one line, with the file's name.
        """
        kinematics = choose(file_name, series, wanted.series, broken)
        spikes, doubtful = _in_seconds(file_name, spikes, kinematics.spans, wanted.spike_times_in)
        end = last_time(spikes, kinematics.spans) if isinstance(spikes, SpikeTrains) else spikes.stop_time
        scale, offset = kinematics.target_scale, kinematics.target_offset
        scaled = partial(read_trials, scale=scale, offset=offset, end=end)
        return cls(
            spikes=spikes,
            kinematics=kinematics,
            trials=choose_trials(file_name, tables, wanted.trials, scaled),
            series={
                **kinematics.report,
                "passed_over": [*kinematics.report["passed_over"], *passed_over],
            },
            synthetic=synthetic,
            answers=answers,
            warnings=(*warnings, *doubtful),
            clock_is_given=wanted.spike_times_in is not None,
            voltages=voltages,
            detection=detection,
        )


def _in_seconds(
    file_name: str, spikes: Spikes, spans: Mapping[str, Span], unit: str | None
) -> tuple[Spikes, list[str]]:
    if isinstance(spikes, SpikeTrains):
        return in_seconds(spikes, spans, unit)
    if unit is not None:
        has = "spike counts, not times" if isinstance(spikes, BinnedSpikes) else "no spike times"
        raise RecordingError(f"{file_name} has {has}. Leave out --spike-times-in.")
    return spikes, []
