"""Which voltages a session has: those of its recording's file, or simulated ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.errors import BadSetting, CannotFit
from engine.files.voltages import VoltageSeries
from engine.sources.electrodes.settings import Electrodes
from engine.tuned import made

ANYWAY: Final = ("voltages", "seed")
"""Settings that go with a file's voltages, too."""
SIMULATE: Final = "send voltages 'simulated'"


def chosen(
    name: str, voltages: VoltageSeries | None, given: Mapping[str, Any], n_channels: int | None = None
) -> tuple[Electrodes, VoltageSeries | None]:
    """Settings of electrodes, and the file's voltages, unless they are simulated.

    Parameters
    ----------
    name : str
        Of the recording.
    voltages : VoltageSeries, optional
        Those of its file.
    given : mapping
        Settings that are not the usual.
    n_channels : int, optional
        As many are asked for.

    Raises
    ------
    BadSetting
        If a setting is unknown, out of bounds, or none of a file's voltages.
    CannotFit
        If the file's are asked for, and there are none, or they cannot be played.
    """
    wanted = {**given} if n_channels is None else {**given, "n_channels": n_channels}
    settings = made(Electrodes, wanted)
    asked = settings.voltages == "file"
    if asked and voltages is None:
        raise CannotFit(f"{name} has no voltages: its file has no ElectricalSeries. Otherwise {SIMULATE}.")
    if asked and voltages is not None and voltages.misfit:
        raise CannotFit(f"{name}: its voltages {voltages.misfit}, or {SIMULATE}.")
    if settings.voltages == "simulated" or voltages is None or voltages.misfit:
        return made(Electrodes, {**wanted, "voltages": "simulated"}), None
    own = voltages.conversion.microvolts_per_count
    anyway = ANYWAY if own is not None else (*ANYWAY, "microvolts_per_count")
    if others := [each for each in given if each not in anyway]:
        raise BadSetting(
            f"The voltages are those of {name}, not simulated. Leave out {' and '.join(others)}, or "
            f"{SIMULATE}."
        )
    if n_channels not in (None, voltages.n_channels):
        raise BadSetting(
            f"{name} has voltages of {voltages.n_channels} channels, not {n_channels}. Leave the number "
            f"out, or {SIMULATE}."
        )
    held = {
        "voltages": "file",
        "n_channels": voltages.n_channels,
        "microvolts_per_count": own or settings.microvolts_per_count,
    }
    return made(Electrodes, {**given, **held}), voltages
