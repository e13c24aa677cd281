"""Decodes what clients send, inside the server: counts, a session's newest bins, or an intention."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.decoders import decode
from engine.decoders.bins import stretches
from engine.errors import BadSetting, NotNow
from engine.found.intended import Intended, bins_of_signal
from engine.found.orders import identity
from engine.making import Making
from engine.sources.electrodes.implant import implant_of
from engine.sources.electrodes.settings import Electrodes
from engine.sources.recordings.recording import Recording
from sessions.calibrations import Calibrations
from sessions.found import Found
from sessions.models import Model, Models
from sessions.refusals import Soon
from sessions.session import Session

AT_ONCE: Final = 4
"""Requests: one is decoded, the others wait."""
NEWEST: Final = 100
"""Bins of a session that are looked at."""
ARRAYS: Final = 4
"""Sizes of electrodes that are ready."""


class Decoded(NamedTuple):
    """What came of a request.

    Attributes
    ----------
    model : str
    kinematics : ndarray of float64, shape (4,)
        x, y, vx, vy; NaN where the model has none.
    spike_rate : float
        Mean over units, of the bins that were decoded, Hz.
    seconds : float
        That it took.
    """

    model: str
    kinematics: npt.NDArray[np.float64]
    spike_rate: float
    seconds: float


class Decoding:
    """For all clients of a server, one request after another. May be called from any thread.

    Parameters
    ----------
    folder : Path, optional
        Where counts and models are kept that were made for it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.found = Found(folder)
        self.models = Models(folder and folder / "models")
        self._electrodes: dict[tuple[int, float], Making[Intended]] = {}
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._turn = threading.Lock()  # guards the electrodes, and the states of the models' decoders

    def counts(
        self,
        counts: Sequence[Sequence[float]],
        recording: Recording,
        electrodes: Electrodes,
        model: str | None,
        calibrations: Calibrations | None,
    ) -> Decoded:
        """Decode bins, shape (n_bins, n_units), by a model or that of electrodes which move as a recording.

        Raises
        ------
        BadModel
            If they have other units.
        UnknownCalibration, NotNow, Soon, Occupied
            If the model is not there.
        """
        with self._one() as began:
            chosen = self._of_electrodes(recording, electrodes, model, calibrations)
            sent = np.array(counts, np.float64)
            chosen.check("what was sent", sent.shape[1])
            return _decoded(chosen, sent, began)

    def session(
        self, session: Session, recording: Recording, model: str | None, calibrations: Calibrations | None
    ) -> Decoded:
        """Decode the newest bins of a session, by a model or one of its own counts.

        Raises
        ------
        BadModel
            If the session has other units.
        UnknownCalibration, NotNow, Soon, Occupied
            If the model, or a bin, is not there.
        """
        with self._one() as began:
            implant, description = implant_of(session.replay.source), session.description
            name, sha256 = description.name, description.sha256
            if implant is not None:
                name, sha256 = identity(recording, implant.settings, False, implant.detection)
            if model is not None:
                chosen = self.models.named(model, calibrations)
            else:
                chosen = self.models.own(sha256, partial(self.found.learned_from, session, recording))
            chosen.check(name, len(description.channel_names), sha256, description.bin_rate)
            rows = newest(session)
            if not rows["observed"].any():
                raise NotNow(f"Session {session.code} has sent no bin yet. Let it play, and ask again.")
            counts = rows["counts"].astype(np.float64)
            starts = stretches(rows["packet_id"], rows["observed"])
            return _decoded(chosen, counts, began, starts, int(np.flatnonzero(rows["observed"])[-1]))

    def intention(
        self,
        intention: Sequence[float],
        recording: Recording,
        electrodes: Electrodes,
        model: str | None,
        calibrations: Calibrations | None,
    ) -> Decoded:
        """Decode what is found at electrodes in 100 ms, by a model or one of their own counts.

        Raises
        ------
        BadModel
            If it is of other electrodes.
        UnknownCalibration, NotNow, Soon, Occupied
            If the model, or the electrodes, are not there.
        """
        with self._one() as began:
            making = self._made(electrodes, recording.bin_rate)
            chosen = self._of_electrodes(recording, electrodes, model, calibrations)
            name, sha256 = identity(recording, electrodes, moved=True)
            chosen.check(name, electrodes.n_channels, sha256, recording.bin_rate)
            if making.error is not None:
                raise NotNow(making.error)
            if (there := making.made) is None:
                raise Soon(f"{electrodes.n_channels} electrodes are being made. Ask again in a second.")
            return _decoded(chosen, there.counts(intention).astype(np.float64), began)

    def close(self) -> None:
        """End what is being made for it. A second call does nothing."""
        self.found.close()
        self.models.close()

    def _of_electrodes(
        self,
        recording: Recording,
        electrodes: Electrodes,
        model: str | None,
        calibrations: Calibrations | None,
    ) -> Model:
        if model is not None:
            return self.models.named(model, calibrations)
        _, key = identity(recording, electrodes, moved=True)
        learned = partial(self.found.moved, recording, electrodes)
        return self.models.own(key, learned, bins_of_signal(recording.bin_rate))

    def _made(self, electrodes: Electrodes, bin_rate: float) -> Making[Intended]:
        """Electrodes, which are begun if there are none; what computes them takes seconds to load.

        Raises
        ------
        Soon
            If others are being made.
        """
        key = electrodes.n_channels, bin_rate
        making = self._electrodes.get(key)
        if making is None or making.error is not None:
            if not all(each.done for each in self._electrodes.values()):
                raise Soon("Other electrodes are being made. Ask again in a second.")
            while len(self._electrodes) >= ARRAYS:
                del self._electrodes[next(iter(self._electrodes))]
            making = self._electrodes[key] = Making()
            threading.Thread(
                target=_make, args=(making, electrodes, bin_rate), name="electrodes", daemon=True
            ).start()
        return making

    @contextmanager
    def _one(self) -> Iterator[float]:
        """Have one request decoded, and say when it came.

        Raises
        ------
        Soon
            If as many as there may be are there.
        """
        if not self._room.acquire(blocking=False):
            raise Soon(f"{AT_ONCE} requests are being decoded, which is the limit. Ask again in a second.")
        try:
            began = time.perf_counter()
            with self._turn:
                yield began
        finally:
            self._room.release()


def _make(making: Making[Intended], electrodes: Electrodes, bin_rate: float) -> None:
    try:
        making.end(Intended(electrodes, bin_rate))
    except BadSetting as error:
        making.end(None, str(error))
    finally:
        if not making.done:  # the log has the traceback
            making.end(None, "The electrodes could not be made. The server's log says why.")


def newest(session: Session) -> npt.NDArray[Any]:
    """The newest bins of a session, at most `NEWEST`, the oldest first."""
    ring = session.ring
    rows, _ = ring.since(max(ring.head - NEWEST, 0), NEWEST)
    return rows


def _decoded(
    model: Model,
    counts: npt.NDArray[np.float64],
    began: float,
    starts: npt.NDArray[np.bool_] | None = None,
    wanted: int = -1,
) -> Decoded:
    """What a model makes of bins, shape (n_bins, n_units): of the last, or of another that is wanted."""
    alone = np.arange(len(counts)) == 0 if starts is None else starts
    kinematics = decode(model.decoder, counts, alone)[wanted]
    spike_rate = float(counts.mean()) * model.trained.bin_rate
    return Decoded(model.name, kinematics, spike_rate, time.perf_counter() - began)
