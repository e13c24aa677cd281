"""What the bins of a new session come from: a recording, or whatever else a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from engine.bins.selection import EVERYTHING
from engine.bins.source import MakeSource, Source
from engine.errors import BadSetting, NotNow
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.source import RecordingSource
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.fitting import Fits
from engine.sources.user.source import SimulatedUser
from engine.sources.user.user import PRESETS
from engine.sources.user.workspace import Basis
from sessions.electrodes import ElectrodeSources, n_channels_of
from sessions.options import Options
from sessions.recordings import refuse_without_spikes

RECORDING, USER, ELECTRODES = "recording", "user", "electrodes"


class Sources:
    """The sources of a server. Its methods may be called from any thread; making one may take 2 s.

    Parameters
    ----------
    makers : mapping
        What makes those that are no recordings, by their kinds, such as "lsl".
    default : str
        What a session has that is asked for none: "recording", or a kind and its argument, ``KIND:WHAT``.
    bin_rate : float
        Bins per second, of those.
    fits : Fits, optional
        Of the neurons of simulated users; none are kept if None.

    Raises
    ------
    BadSetting
        If there is no such kind as the default's.
    """

    def __init__(
        self,
        makers: Mapping[str, MakeSource] | None = None,
        default: str = RECORDING,
        bin_rate: float = 40.0,
        fits: Fits | None = None,
    ) -> None:
        self._fits = fits or Fits()
        self._makers = makers or {}
        self._electrodes = ElectrodeSources()
        self._bin_rate = bin_rate
        self.default = default
        self.default = self.spelled(default)

    def spelled(self, asked: str | None) -> str:
        """What a client means, with its argument: nothing, and a bare kind, are the server's own.

        Raises
        ------
        BadSetting
        """
        asked = self.default if asked is None else asked
        kind, _, what = asked.partition(":")
        if kind == USER and (not what or what in PRESETS):
            return self.default if self.default.startswith(USER) and not what else asked
        if kind == ELECTRODES:
            n_channels_of(what)
            return self.default if self.default.startswith(ELECTRODES) and not what else asked
        if kind not in (RECORDING, *self._makers) or (kind == RECORDING and what):
            users = (USER, *(f"{USER}:{each}" for each in PRESETS))
            there = ", ".join(
                (
                    RECORDING,
                    *users,
                    ELECTRODES,
                    f"{ELECTRODES}:CHANNELS",
                    *(f"{each}:NAME" for each in self._makers),
                )
            )
            raise BadSetting(f"Unknown source {asked[:80]!r}. There are {there}.")
        own, _, its = self.default.partition(":")
        if kind == RECORDING or what:
            return asked
        if kind == own and its:
            return self.default
        raise BadSetting(f"This server has no {kind} of its own. Send {kind}:NAME, or start it with one.")

    def make(self, options: Options, recording: Recording) -> Source:
        """Make that of a session with options whose source is `spelled`.

        Raises
        ------
        NotNow, BadSetting, Busy
            If it is not there, cannot do what is asked of it, or would take too much.
        """
        kind, _, what = (options.source or RECORDING).partition(":")
        if kind != USER and (options.lockstep or options.driver is not None or options.closed_loop):
            raise BadSetting(
                f"A session whose source is {kind} is no closed loop. Leave driver, lockstep and "
                "closed_loop out, or send source user."
            )
        if kind != ELECTRODES and (options.electrodes or options.detection):
            raise BadSetting(
                f"A session whose source is {kind} has no electrodes. Leave electrodes and detection out, "
                f"or send source {ELECTRODES}."
            )
        if kind in (RECORDING, USER):
            refuse_without_spikes(recording)
        if kind == RECORDING:
            return RecordingSource(recording, options.selection, options.loop)
        if options.selection != EVERYTHING:
            raise NotNow(f"A session whose source is {kind} has no selection. Leave it out.")
        if kind == USER:
            loop = ClosedLoop(
                preset=what or next(iter(PRESETS)),
                **options.closed_loop,
                driver=options.driver,
                lockstep=options.lockstep,
                seed=options.seed,
            )
            basis = Basis.of(recording)
            return SimulatedUser(basis, loop, partial(self._fits.of, recording, basis.workspace))
        if kind == ELECTRODES:
            return self._electrodes.make(
                recording, n_channels_of(what), options.seed, options.electrodes, options.detection
            )
        return self._makers[kind](what, self._bin_rate)

    def close(self) -> None:
        """End what they have begun. A second call does nothing."""
        self._fits.close()
