"""Whether the times of a file are of one clock, and what is done about those that are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.spike_trains import SpikeTrains
from engine.sources.recordings.readers.wanted import seconds_in

SPIKES = "The spike times"
Span = tuple[float, float]
"""First and last time of something, s."""

FAR = 10.0
"""Times later than all else from which on an end is not of the same clock."""
FITS = (0.2, 1.1)
"""Of the rest's length, how much spike times fill in the unit that they are in."""
RATES = (30_000, 24_414.0625, 25_000, 20_000, 40_000, 32_000, 10_000, 48_000)
"""At which spikes are sampled, Hz; the commonest first."""
RESTART = 0.25
"""Of a train's length, by which a spike lies before the one before it where a clock begins anew."""
RESTART_SECONDS = 1.0
MOST_MARKS = 3
"""Different values that mark a spike that is not there."""


def in_seconds(
    spikes: SpikeTrains, others: Mapping[str, Span], unit: str | None
) -> tuple[SpikeTrains, list[str]]:
    """Spike times as seconds, without marks that are no spikes.

    Parameters
    ----------
    spikes : SpikeTrains
        As the file has them.
    others : mapping
        What else has times, as a sentence begins with it, to its span.
    unit : str, optional
        Of the spike times, where a person names it.

    Returns
    -------
    spikes : SpikeTrains
    warnings : list of str
        What was left out.
    """
    spikes, warnings = _without_sentinels(spikes)
    if unit is None:
        return spikes, warnings
    scale, end = seconds_in(unit), max((end for _, end in others.values()), default=0.0)
    times, observed = spikes.spike_times * scale, spikes.observed
    if len(observed) and observed.max() > FAR * max(end, times.max()):  # of the same table and unit
        observed = observed * scale
    return replace(spikes, spike_times=times, observed=observed), warnings


def last_time(spikes: SpikeTrains, others: Mapping[str, Span]) -> float:
    """When a recording ends, s: with its last spike, unless that cannot be of one clock with the rest."""
    last, end = float(spikes.spike_times.max()), max((end for _, end in others.values()), default=0.0)
    return end if 0 < FAR * end < last else max(last, end)


def too_late(spikes: SpikeTrains, others: Mapping[str, Span]) -> str:
    """Whether spikes go on far beyond all else: what is wrong, and the option that mends it; else empty."""
    last, end = float(spikes.spike_times.max()), max((end for _, end in others.values()), default=0.0)
    if not 0 < FAR * end < last:
        return ""
    return (
        f"The spike times end at {last:.6g} s, {last / end:.4g} times later than all else ({end:.6g} s). "
        f"{_likely(spikes.spike_times, end)}"
    )


def doubts(spikes: SpikeTrains, others: Mapping[str, Span]) -> list[str]:
    """What cannot be of one clock, and what is done about it: a sentence or three each."""
    late = too_late(spikes, others)
    told = [f"{late} They are replayed as the seconds that the file says they are."] if late else []
    spans = {**others, SPIKES: (spikes.spike_times.min(), spikes.spike_times.max())}
    if len(spikes.observed):
        spans["The units' obs_intervals"] = (spikes.observed.min(), spikes.observed.max())
    return [*told, *_restarts(spikes), *_latecomers(spans)]


def _without_sentinels(spikes: SpikeTrains) -> tuple[SpikeTrains, list[str]]:
    """Drop what stands for no spike: NaN, and a few negative whole numbers where no other is negative."""
    warnings = []
    lacking = ~np.isfinite(spikes.spike_times)
    if lacking.any():
        spikes = _without(spikes, lacking)
        warnings.append(
            f"{np.count_nonzero(lacking)} spike times are NaN or infinite: they are left out. Nothing "
            "needs to be done unless they should be spikes; then repair spike_times."
        )
    marked = spikes.spike_times < 0
    marks = np.unique(spikes.spike_times[marked])
    if not 0 < len(marks) <= MOST_MARKS or (marks % 1 != 0).any() or marked.all():
        return spikes, warnings
    spelled = " or ".join(f"{mark:g}" for mark in marks)
    warnings.append(
        f"{np.count_nonzero(marked)} spike times are {spelled}, which marks a spike that is not there: "
        "they are left out. Nothing needs to be done unless they are spikes; then write the file again "
        "with times that begin at 0."
    )
    return _without(spikes, marked), warnings


def _without(spikes: SpikeTrains, dropped: npt.NDArray[np.bool_]) -> SpikeTrains:
    """All spikes but those that are marked, shape (n_spikes,)."""
    before = np.concatenate(([0], np.cumsum(dropped)))
    times, bounds = spikes.spike_times[~dropped], spikes.bounds - before[spikes.bounds]
    return replace(spikes, spike_times=times, bounds=bounds)


def _restarts(spikes: SpikeTrains) -> list[str]:
    """Trains whose times begin anew part way."""
    found = []
    for unit, (begin, end) in enumerate(pairwise(spikes.bounds.tolist())):
        train = spikes.spike_times[begin:end]
        if len(train) < 2:
            continue
        steps = np.diff(train)
        at = int(steps.argmin())
        if -steps[at] > max(RESTART * float(np.ptp(train)), RESTART_SECONDS):
            found.append((unit, at + 1, float(train[at]), float(train[at + 1])))
    if not found:
        return []
    unit, at, before, after = found[0]
    return [
        f"The spike times of {len(found)} units begin anew part way: {spikes.names[unit]} goes from "
        f"{before:.6g} s back to {after:.6g} s at its spike {at}. They are counted where they say, so that "
        "blocks lie over one another. No option can tell blocks apart: write the file again with one clock."
    ]


def _likely(times: Floats, end: float) -> str:
    """In which unit spike times end with the rest of a file: a sentence with the option that mends it.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        As in the file.
    end : float
        Of all else, s.
    """
    last, n_late = float(times.max()), np.count_nonzero(times > FAR * end)
    if 2 * n_late < len(times):
        return f"They are {n_late} of {len(times)}: repair those."

    def fits(scale: float) -> bool:
        return FITS[0] * end <= last * scale <= FITS[1] * end

    whole = bool((times % 1 == 0).all())
    if whole:
        for rate in RATES:
            if fits(1 / rate):
                return (
                    f"They look like sample numbers, perhaps at {rate:g} Hz: "
                    f"--spike-times-in samples:{rate:g} reads them so."
                )
    for unit, name in (("ms", "milliseconds"), ("us", "microseconds")):
        if fits(seconds_in(unit)):
            return f"They look like {name}: --spike-times-in {unit} reads them so."
    return "They are not in seconds: --spike-times-in ms, us or samples:RATE reads them so."


def _latecomers(spans: Mapping[str, Span]) -> list[str]:
    """What beside spike times goes on far beyond all else."""
    found = []
    for what, (_, last) in spans.items():
        end = max((span[1] for other, span in spans.items() if other != what), default=0.0)
        if what != SPIKES and 0 < FAR * end < last:
            option = "--trials NAME" if "trial" in what else "--series position=NAME,velocity=NAME"
            found.append(
                f"{what} end at {last:.6g} s, {last / end:.4g} times later than all else "
                f"({end:.6g} s). They are replayed as they are; {option} takes another."
            )
    return found
