"""A decoder to be fitted elsewhere, as arrays that say all, and the fit of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from engine.decoders import make_decoder
from engine.decoders.bins import Bins
from engine.decoders.store import Trained, to_npz
from engine.making import Arrays


def order_of(decoder: str, settings: Mapping[str, Any], bins: Bins) -> Arrays:
    """A decoder of these hyperparameters that is to learn from bins."""
    learned_from = {each.name: np.asarray(getattr(bins, each.name)) for each in fields(Bins)}
    return {"decoder": np.array(decoder), "settings": np.array(json.dumps(settings)), **learned_from}


def fitted(decoder: str, settings: str, bins: Bins, tell: Callable[[float], None]) -> bytes:
    """The model, as `engine.decoders.store.load` reads it.

    Raises
    ------
    CannotFit
        If there is too little to learn from.
    """
    bin_rate = float(bins.bin_rate)
    made = make_decoder(decoder, bin_rate, json.loads(settings))
    made.epoch_done = lambda done, most: tell(done / most)
    bins.teach(made)
    n_units = bins.counts.shape[1]
    return to_npz(made, Trained(str(bins.recording), str(bins.sha256), n_units, bin_rate, bins.trials))
