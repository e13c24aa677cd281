"""Decoders of one's own, made known under a key like ours.

Each kind of code has its adapter, one a file, which makes of it a `Decoder` like ours. Only who starts a
program may name code, on its command line, in its environment or by its folder of plugins; never a client.
"""

from __future__ import annotations

import os

from engine.decoders import DECODERS, register
from engine.decoders.own.adapting import adapted
from engine.decoders.own.finding import SPELLED, found
from engine.errors import BadSetting
from engine.loading import OWN_DECODERS

__all__ = ["SPELLED", "adapted", "again", "named"]


def named(text: str) -> str:
    """The key of a decoder that is known, or of one's own, which is known from now on.

    Processes that this one starts find it in their environment.

    Parameters
    ----------
    text : str
        A key, or what `engine.decoders.own.finding.found` takes.

    Raises
    ------
    BadSetting
        If there is no such decoder, or one of its key already.
    DecoderFault
        If its code cannot be loaded.
    """
    if text in DECODERS:
        return text
    if ":" not in text and "." not in text:
        raise BadSetting(
            f"Unknown decoder {text[:80]!r}. There are {', '.join(DECODERS)}, and yours: {SPELLED}."
        )
    decoder, spelled = found(text)
    before = os.environ.get(OWN_DECODERS, "").splitlines()
    if decoder.key not in DECODERS or spelled not in before:
        register(decoder)
        os.environ[OWN_DECODERS] = "\n".join(dict.fromkeys([*before, spelled]))
    return decoder.key


def again() -> None:
    """Make known what the environment names, such as what the process that started this one has named.

    Raises
    ------
    BadSetting, DecoderFault
        As `named` has it.
    """
    for text in os.environ.get(OWN_DECODERS, "").splitlines():
        register(found(text)[0])
