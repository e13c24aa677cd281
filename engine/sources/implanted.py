"""A simulated user whose spikes are seen by electrodes alone: a closed loop from the voltage up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from engine.bins.source import Capability
from engine.errors import CannotFit
from engine.sources.electrodes.implant import Implant, Implanted
from engine.sources.electrodes.playing import Fired
from engine.sources.electrodes.signal import Simulated
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.fitting import Fit
from engine.sources.user.source import CAN as OF_USERS
from engine.sources.user.source import SimulatedUser
from engine.sources.user.workspace import Basis

log = logging.getLogger(__name__)


class ImplantedUser(Implanted, SimulatedUser):
    """A user whose neurons are near electrodes: what decoders get of a bin are the spikes found there.

    A bin's spikes are drawn when it is due, as a user's without electrodes, and put at random within it;
    voltages are made and searched at once. So its voltages come with the bin, not block by block before.

    Parameters
    ----------
    basis : Basis
    loop : ClosedLoop
    fit : function
        As `SimulatedUser` has them.
    implant : Implant
        Of simulated electrodes.

    Attributes
    ----------
    implant
        As above.
    """

    can: Final[tuple[Capability, ...]] = (*OF_USERS, "tune")  # type: ignore[misc]  # more than the user's

    def __init__(self, basis: Basis, loop: ClosedLoop, fit: Callable[[], Fit], implant: Implant) -> None:
        self.implant = implant
        self._trains = Fired(len(basis.channel_names), basis.bin_rate, implant.settings.seed)
        self._signal: Simulated | None = None
        self._failed = ""
        super().__init__(replace(basis, channel_names=implant.channel_names), loop, fit)
        implant.describe(self.description)
        threading.Thread(target=self._prepare, name="electrodes", daemon=True).start()

    def on_ready(self, tell: Callable[[], None]) -> None:
        super().on_ready(tell)
        if self._signal or self._failed:  # it was told to nobody
            tell()

    def ready(self, n: int) -> int:
        if self._failed:
            raise CannotFit(self._failed)
        return super().ready(n) if self._signal else 0

    def tune(self, what: str, settings: Mapping[str, Any]) -> str:
        """Change electrodes or detection from the next bin on.

        Raises
        ------
        BadSetting
            If a setting is unknown, constant or out of bounds; then nothing has changed.
        """
        return self.implant.tuning.change(what, settings, self._sent)

    def close(self) -> None:
        super().close()
        self.implant.closed = True

    def _fire(self) -> Any:
        assert self._signal is not None
        number = self._sent
        self._trains.fire(number, super()._fire())
        (found,) = self.implant.find(range(number, number + 1), self._signal)
        return found.counts

    def _prepare(self) -> None:
        implant = self.implant
        try:
            implant.prepare()
            self._signal = Simulated(self._trains, implant.settings, implant.engine)
        except Exception as error:  # whatever it is, it ends this session alone, and visibly
            log.exception("The electrodes of %s have failed", self.description.name)
            self._failed = f"The electrodes have failed: {type(error).__name__}: {error}"
        self._tell()
