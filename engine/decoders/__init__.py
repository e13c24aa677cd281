"""Decoders: one a file, one line each here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.decoders.aligned import Aligned
from engine.decoders.base import Decoder, decode
from engine.decoders.delayed import Delayed
from engine.decoders.gru import Gru
from engine.decoders.kalman import Kalman
from engine.decoders.lstm import Lstm
from engine.decoders.passthrough import Passthrough
from engine.decoders.population_vector import PopulationVector
from engine.decoders.refit import ReFit
from engine.decoders.renormalised import Renormalised
from engine.decoders.rls import Rls
from engine.decoders.velocity_predictor import VelocityPredictor
from engine.decoders.wiener import Wiener
from engine.errors import BadSetting

DECODERS: dict[str, type[Decoder]] = {
    decoder.key: decoder
    for decoder in (
        Passthrough, Delayed, VelocityPredictor, PopulationVector, Wiener, Kalman, ReFit, Rls, Renormalised,
        Aligned, Lstm, Gru,
    )
}  # fmt: skip
"""By key; the first three use the truth alone."""

__all__ = ["DECODERS", "Decoder", "decode", "make_decoder", "register"]


def register(decoder: type[Decoder]) -> None:
    """Take in another decoder, such as a plugin's.

    Raises
    ------
    BadSetting
        If there is one of its key.
    """
    if decoder.key in DECODERS:
        raise BadSetting(f"There is a decoder {decoder.key!r} already. Give yours another key.")
    DECODERS[decoder.key] = decoder


def make_decoder(key: str, bin_rate: float, settings: Mapping[str, Any] | None = None) -> Decoder:
    """A decoder that has learned nothing yet.

    Parameters
    ----------
    key : str
        Of `DECODERS`.
    bin_rate : float
        Bins per second.
    settings : mapping, optional
        Hyperparameters that differ from the defaults.

    Raises
    ------
    BadSetting
        If a name is unknown or a value out of bounds.
    """
    if key not in DECODERS:
        raise BadSetting(f"Unknown decoder {key!r}. There are {', '.join(DECODERS)}.")
    decoder = DECODERS[key]
    known = [name for name in decoder.param if name != "name"]
    for name in settings or {}:
        if name not in known:
            has = f"It has {', '.join(known)}." if known else "It has none."
            raise BadSetting(f"Unknown hyperparameter {name!r} of {key}. {has}")
    try:
        return decoder(bin_rate, **(settings or {}))
    except ValueError as error:
        raise BadSetting(str(error)) from None
