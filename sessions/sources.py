"""What the bins of a new session come from: a recording, or whatever else a server offers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from engine.bins.selection import EVERYTHING
from engine.bins.source import MakeSource, Source
from engine.errors import BadSetting, NotNow
from engine.sources.implanted import ImplantedUser
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.source import RecordingSource
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.fitting import Fits
from engine.sources.user.source import SimulatedUser
from engine.sources.user.user import PRESETS
from engine.sources.user.workspace import Basis
from sessions.electrodes import Implants, n_channels_of
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
        self._implants = Implants()
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
        if kind == USER and (not what or _preset(what) in PRESETS):
            n_channels_of(electrodes_in(asked) or "")
            return self.default if self.default.startswith(USER) and not what else asked
        if kind == ELECTRODES:
            n_channels_of(what)
            return self.default if self.default.startswith(ELECTRODES) and not what else asked
        if kind not in (RECORDING, *self._makers) or (kind == RECORDING and what):
            users = (USER, *(f"{USER}:{each}" for each in PRESETS), f"{USER}:PRESET:{ELECTRODES}")
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
        electrodes = electrodes_in(options.source or RECORDING)
        if electrodes is None and (options.electrodes or options.detection):
            raise BadSetting(
                f"A session whose source is {kind} has no electrodes. Leave electrodes and detection out, "
                f"or send source {f'{USER}:{_preset(what)}:' if kind == USER else ''}{ELECTRODES}."
            )
        if kind in (RECORDING, USER):
            refuse_without_spikes(recording)
        if kind == RECORDING:
            return RecordingSource(recording, options.selection, options.loop)
        if options.selection != EVERYTHING:
            raise NotNow(f"A session whose source is {kind} has no selection. Leave it out.")
        set_ = options.seed, options.electrodes, options.detection
        if kind == ELECTRODES:
            return self._implants.of_recording(recording, n_channels_of(what), *set_)
        if kind == USER:
            loop = ClosedLoop(
                preset=_preset(what),
                **options.closed_loop,
                driver=options.driver,
                lockstep=options.lockstep,
                seed=options.seed,
            )
            basis = Basis.of(recording)
            fit = partial(self._fits.of, recording, basis.workspace)
            if electrodes is None:
                return SimulatedUser(basis, loop, fit)
            implant = self._implants.below_user(recording, n_channels_of(electrodes), *set_)
            return ImplantedUser(basis, loop, fit, implant)
        return self._makers[kind](what, self._bin_rate)

    def close(self) -> None:
        """End what they have begun. A second call does nothing."""
        self._fits.close()


def electrodes_in(source: str) -> str | None:
    """What is said of a source's electrodes, such as how many; None if it has none, "" if nothing is said.

    Raises
    ------
    BadSetting
        If a user has something else below.
    """
    kind, *rest = source.split(":")
    if kind == USER:
        below = rest[1:] if rest and rest[0] in PRESETS else rest
        if below and below[0] != ELECTRODES:
            raise BadSetting(
                f"A simulated user has {ELECTRODES} below, or nothing, not {below[0][:80]!r}. "
                f"Send {USER}:PRESET:{ELECTRODES}, or {USER}:PRESET."
            )
        return ":".join(below[1:]) if below else None
    return ":".join(rest) if kind == ELECTRODES else None


def _preset(what: str) -> str:
    """Which user is asked for, by what stands after ``user:``."""
    first = what.partition(":")[0]
    return next(iter(PRESETS)) if first in ("", ELECTRODES) else first
