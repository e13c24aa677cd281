"""Bins of a recording as arrays to learn from, as they travel to a decoder elsewhere."""

from __future__ import annotations

import inspect
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.selection import Selection
from engine.bins.trial_table import trial_table
from engine.decoders.base import Decoder
from engine.errors import RecordingError

TRAINED_ON: Final = 0.75
"""Part of the trials, the first ones, that a decoder learns from unless told otherwise."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins in the order of the recording, and the facts that a trained decoder must remember.

    Attributes
    ----------
    counts : ndarray of uint8 or uint16, shape (n, n_units)
        As the file has them, also where the bin is not observed, or in part.
    kinematics : ndarray of float32, shape (n, 4)
        x, y in length units; vx, vy per second; NaN where missing.
    target : ndarray of float32, shape (n, 2)
        Position of the trial's target; NaN where there is none.
    packet_id : ndarray of int32, shape (n,)
        Index of each bin in the recording.
    trial_id : ndarray of int64, shape (n,)
        -1 outside of trials.
    observed : ndarray of bool, shape (n,)
        Whether the bin's centre was recorded.
    coverage : ndarray of float64, shape (n,)
        Share of the bin that was recorded, 0 to 1.
    start : ndarray of bool, shape (n,)
        Bins that begin a stretch: the bin before in the recording is not here, or not observed. No
        decoder may look back beyond one.
    channel_names : ndarray of str, shape (n_units,)
    bin_rate : float
        Bins per second.
    bin_width : float
        Seconds.
    recording : str
        Its name.
    sha256 : str
        Of the recording's file.
    length_unit : str
    start_time : float
        Of the recording's bin 0, s: bin k starts at ``start_time + packet_id[k] / bin_rate``.
    synthetic : bool
        Whether the recording is simulated.
    cut : ndarray of bool, shape (n,)
        Observed bins before which observed bins of the recording are left out. What was not observed cuts
        nothing, as a stream goes on over it; `start` where nothing else is known.
    trial_table : ndarray, shape (n_trials,)
        The trials that are here, as `engine.bins.trial_table.trial_table` has them.
    """

    counts: npt.NDArray[np.unsignedinteger[Any]]
    kinematics: npt.NDArray[np.float32]
    target: npt.NDArray[np.float32]
    packet_id: npt.NDArray[np.int32]
    trial_id: npt.NDArray[np.int64]
    observed: npt.NDArray[np.bool_]
    coverage: npt.NDArray[np.float64]
    start: npt.NDArray[np.bool_]
    channel_names: npt.NDArray[np.str_]
    bin_rate: float
    bin_width: float
    recording: str
    sha256: str
    length_unit: str
    start_time: float = 0.0
    synthetic: bool = False
    trial_table: npt.NDArray[np.void] = field(default_factory=lambda: trial_table(()))
    cut: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        if len(self.cut) != len(self.start):
            object.__setattr__(self, "cut", self.start)

    @classmethod
    def of(cls, recording: Recorded, trial_ids: Sequence[int] = ()) -> Bins:
        """Bins of some trials, or of the whole recording.

        Raises
        ------
        UnknownTrial
            If the recording has no such trial.
        EmptySelection
            If the trials hold no bin.
        """
        chosen = Selection(trial_ids=tuple(trial_ids)).bins(recording)
        bins = recording.bins[chosen]
        trials = [t for t in recording.trials if not trial_ids or t.trial_id in trial_ids]
        ids = np.array([*(trial.trial_id for trial in recording.trials), -1])  # the last is for row -1
        return cls(
            counts=bins["counts"],
            kinematics=bins["kinematics"],
            target=bins["intention"][:, 1:3],
            packet_id=bins["packet_id"],
            trial_id=ids[bins["trial"]],
            observed=bins["observed"],
            coverage=bins["coverage"],
            start=stretches(bins["packet_id"], bins["observed"]),
            channel_names=np.array(recording.channel_names, np.str_),
            bin_rate=recording.bin_rate,
            bin_width=recording.bin_width,
            recording=recording.name,
            sha256=recording.sha256,
            length_unit=recording.length_unit,
            start_time=recording.start_time,
            synthetic=recording.synthetic,
            trial_table=trial_table(trials),
            cut=_cuts(recording.bins["observed"], bins["packet_id"]),
        )

    @property
    def trials(self) -> tuple[int, ...]:
        """Ids of the trials that are here, ascending."""
        return tuple(np.unique(self.trial_id[self.trial_id != -1]).tolist())

    def teach(self, decoder: Decoder) -> None:
        """Have a decoder learn from these as from a stream: from what was observed, going on over the rest.

        Raises
        ------
        CannotFit
            If there is too little to learn from.
        """
        seen = self.observed
        given = self.counts[seen], self.kinematics[seen], self.cut[seen], self.target[seen]
        if "trials" in inspect.signature(decoder.fit).parameters:
            decoder.fit(*given, trials=self.trial_id[seen])
        else:  # a decoder of somebody's own that chooses nothing
            decoder.fit(*given)

    def to_npz(self) -> bytes:
        """As a file. Not compressed: the streams want the processor more than anybody wants the bytes."""
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **{each.name: getattr(self, each.name) for each in fields(self)})
        return file.getvalue()

    def to_mat(self) -> bytes:
        """As a MATLAB file of version 5: the same names, vectors and fields of `trial_table` as columns."""
        from scipy import io as matlab  # takes long to load, and few ask for it

        table = {_field_name(name): self.trial_table[name] for name in self.trial_table.dtype.names or ()}
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["trial_table"] = {name: _cells(column) for name, column in table.items() if column.size}
        values["channel_names"] = _cells(self.channel_names)
        file = io.BytesIO()
        matlab.savemat(file, values, oned_as="column", long_field_names=True)
        return file.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> Bins:
        """Read what `to_npz` has made.

        Raises
        ------
        RecordingError
            If it is something else.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                names = {each.name for each in fields(cls)} - ({"cut"} - {*file.files})
                read = {name: file[name] for name in names}
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise RecordingError(f"These are no bins of a recording: {error}.") from None
        return cls(**{name: value[()] if value.ndim == 0 else value for name, value in read.items()})


def learned_from(trial_ids: Sequence[int]) -> Sequence[int]:
    """The trials that a decoder learns from unless told otherwise: the first ones of all in order."""
    return trial_ids[: max(1, round(TRAINED_ON * len(trial_ids)))]


def _cells(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Text as a cell array, which is not filled up with blanks; all else as it is."""
    return column.astype(object) if column.dtype.kind == "U" else column


def _field_name(name: str) -> str:
    """A name that MATLAB takes: letters, digits and underscores, the first a letter."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)[:63]
    return plain if plain[0].isalpha() else f"trial_{plain}"[:63]


def _cuts(observed: npt.NDArray[np.bool_], packet_id: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which observed bins do not follow the observed one before them in the recording."""
    out = np.zeros(len(packet_id), np.bool_)
    seen = np.flatnonzero(observed[packet_id])
    number = np.cumsum(observed)[packet_id[seen]]
    out[seen] = np.diff(number, prepend=-1) != 1
    return out


def stretches(packet_id: npt.NDArray[np.int32], observed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which bins do not follow an observed one.

    Parameters
    ----------
    packet_id : ndarray of int, shape (n,)
    observed : ndarray of bool, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    start = np.ones(len(packet_id), np.bool_)
    start[1:] = (np.diff(packet_id) != 1) | ~observed[:-1]
    return start
