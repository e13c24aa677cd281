"""Models that decode inside the server: those of calibrations, and Wiener filters made when needed."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from engine.calibration.order import order_of
from engine.decoders import Decoder
from engine.decoders.bins import Bins, learned_from
from engine.decoders.store import Trained, load
from engine.errors import BadModel, NotNow
from engine.making import Workshop
from engine.sources.recordings.recording import Recording
from sessions.calibrations import Calibrations, Run
from sessions.refusals import Soon, UnknownCalibration

KEPT: Final = 8
"""Models that are ready, the newest ones."""
OWN: Final = "wiener"


class Model(NamedTuple):
    """A decoder that has learned, by name."""

    name: str
    decoder: Decoder
    trained: Trained

    def check(
        self, name: str, n_units: int, sha256: str | None = None, bin_rate: float | None = None
    ) -> None:
        """See whether it fits what is called so; what is None is not known.

        Raises
        ------
        BadModel
        """
        known = self.trained
        try:
            known.check(name, sha256 or known.sha256, n_units, bin_rate or known.bin_rate)
        except BadModel as refusal:
            raise BadModel(f"Model {self.name} does not fit. {refusal}") from None


class Models:
    """Those of a server. May be used from any thread.

    Parameters
    ----------
    folder : Path, optional
        Where those are kept that it makes itself.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._workshop = Workshop(
            "engine.calibration",
            "Wiener filters",
            "The Wiener filter could not be calibrated",
            lambda content: load(io.BytesIO(content)),
            folder,
            most=1,
            kept=KEPT,
        )
        self._ready: dict[Hashable, Model] = {}
        self._lock = threading.Lock()  # guards the one above

    @property
    def loaded(self) -> bool:
        """Whether any is ready."""
        return bool(self._ready)

    def named(self, name: str, calibrations: Calibrations | None) -> Model:
        """That of a calibration: by its number, or the name of its file.

        Raises
        ------
        UnknownCalibration
        NotNow
            If it is not done, or has no model.
        """
        for run in calibrations or ():
            if name in (str(run.number), run.model_name):
                return self._once(run, partial(_of_run, run))
        raise UnknownCalibration(
            f"Unknown model {name[:80]!r}. Name a calibration of this server by its id or model_file, "
            "or leave the model out."
        )

    def own(self, key: Hashable, learned: Callable[[], Recording], lags: int | None = None) -> Model:
        """A Wiener filter of the first three quarters of the trials, which is begun if there is none.

        Parameters
        ----------
        key : hashable
            Of what it learns from.
        learned : function
            Gives what it learns from.
        lags : int, optional
            Bins that it looks at, if not as usual.

        Raises
        ------
        NotNow
            If it cannot learn.
        Soon, Occupied
            If it is being made, or others are.
        """
        return self._once(("own", key, lags), lambda: self._own(learned(), lags))

    def close(self) -> None:
        """End what runs, and begin no more. A second call does nothing."""
        self._workshop.close()

    def _own(self, recording: Recording, lags: int | None) -> tuple[str, Decoder, Trained]:
        bins = Bins.of(recording, learned_from(recording.trial_ids))
        making = self._workshop.of(order_of(OWN, {} if lags is None else {"lags": lags}, bins))
        if making.error is not None:
            raise NotNow(making.error)
        if making.made is None:
            raise Soon(f"A Wiener filter is being calibrated for {recording.name}. Ask again in a second.")
        return f"{recording.name}-{OWN}", *making.made

    def _once(self, key: Hashable, make: Callable[[], tuple[str, Decoder, Trained]]) -> Model:
        with self._lock:
            if key not in self._ready:
                self._ready[key] = Model(*make())
                while len(self._ready) > KEPT:
                    del self._ready[next(iter(self._ready))]
            return self._ready[key]


def _of_run(run: Run) -> tuple[str, Decoder, Trained]:
    return run.model_name, *load(io.BytesIO(run.model))
