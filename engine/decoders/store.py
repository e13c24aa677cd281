"""Trained decoders as ``.npz`` files: arrays and JSON, never pickled objects."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.decoders import DECODERS, Decoder, make_decoder
from engine.decoders.choice import Choice
from engine.errors import BadModel, DeckError, DecoderFault

FACTS = "facts"
"""The array that is JSON; the others are what the decoder has learned."""


@dataclass(frozen=True)
class Trained:
    """What a model was trained on.

    Attributes
    ----------
    recording : str
        Its name.
    sha256 : str
        Of its file.
    n_units : int
    bin_rate : float
        Bins per second.
    trials : sequence of int
        Ids of the trials that it has learned from.
    """

    recording: str
    sha256: str
    n_units: int
    bin_rate: float
    trials: Sequence[int]

    def check(self, recording: str, sha256: str, n_units: int, bin_rate: float) -> None:
        """See whether the model fits a recording.

        Raises
        ------
        BadModel
            If it was trained on another one, or at another bin rate.
        """
        if n_units != self.n_units:
            fault = f"{self.n_units} units, and {recording} has {n_units}"
        elif sha256 != self.sha256:
            fault = f"{self.recording} ({self.sha256[:8]}), and this is {recording} ({sha256[:8]})"
        elif bin_rate != self.bin_rate:
            fault = f"{self.bin_rate:g} bins per second, and {recording} has {bin_rate:g}"
        else:
            return
        raise BadModel(f"The model was trained on {fault}. Train one on this recording.")


def to_npz(decoder: Decoder, trained: Trained) -> bytes:
    """A trained decoder as `load` reads it from a file.

    Raises
    ------
    BadModel
        If what it has learned are no arrays.
    """
    facts = {
        "decoder": decoder.key,
        "settings": decoder.settings,
        "choices": [asdict(each) for each in decoder.choices],
        **asdict(trained),
    }
    arrays = decoder.arrays()
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **{FACTS: np.array(json.dumps(facts))}, **arrays)
    return file.getvalue()


def save(path: Path, decoder: Decoder, trained: Trained) -> None:
    """Write a trained decoder; a file of this name is replaced.

    Raises
    ------
    BadModel
        If it cannot be written, or what it has learned are no arrays.
    """
    content = to_npz(decoder, trained)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadModel(f"Cannot write {path}: {error.strerror}. Name another file.") from None


def load(path: Path | BinaryIO) -> tuple[Decoder, Trained]:
    """Read a trained decoder, ready to predict; also from an open file, or what `to_npz` has made in one.

    Raises
    ------
    BadModel
        If the file is none, or its decoder is not known here.
    DecoderFault
        If the decoder is somebody's own, and fails.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts: dict[str, Any] = json.loads(str(arrays.pop(FACTS)))
        key, settings = facts.pop("decoder"), facts.pop("settings")
        choices = [_choice(**each) for each in facts.pop("choices", ())]  # older models have none
        trained = _checked(Trained(**facts))
        if key not in DECODERS:
            raise BadModel(
                f"{path} is a model of {str(key)[:80]}, which is not known here. Name its code too, such "
                "as --decoder FILE.py:CLASS, or its folder with --plugins."
            )
        decoder = make_decoder(key, trained.bin_rate, settings)
        decoder.recording = trained.recording
        decoder.choose(choices)
        decoder.restore(arrays)
        decoder.forget()
        decoder.predict(np.zeros(trained.n_units))  # arrays whose shapes disagree fail here
    except (BadModel, DecoderFault):
        raise
    except OSError as error:
        raise BadModel(f"Cannot read {path}: {error.strerror or error}. Name a trained model.") from None
    except (ValueError, LookupError, TypeError, AttributeError, MemoryError, zipfile.BadZipFile, DeckError):
        raise BadModel(f"{path} is not a trained model. Make one with serve.py decode --save.") from None
    decoder.forget()
    return decoder, trained


def _choice(name: str, value: float, tried: Sequence[float], scores: Sequence[float]) -> Choice:
    return Choice(name, value, tuple(map(float, tried)), tuple(map(float, scores)))


def _checked(trained: Trained) -> Trained:
    """What a file says that it was trained on, if that can be; else `ValueError`."""
    sound = (
        isinstance(trained.recording, str)
        and isinstance(trained.sha256, str)
        and type(trained.n_units) is int
        and trained.n_units >= 1
        and type(trained.bin_rate) in (int, float)
        and 0 < trained.bin_rate < math.inf
        and isinstance(trained.trials, list)
        and all(type(each) is int for each in trained.trials)
    )
    if not sound:
        raise ValueError("what it was trained on is none")
    return trained
