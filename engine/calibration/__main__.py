"""``python -m engine.calibration FOLDER``: fits a decoder to the folder's bins, and writes the model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from engine.calibration.order import fitted
from engine.decoders.bins import Bins
from engine.making import work


def make(order: dict[str, Any], tell: Callable[[float], None]) -> bytes:
    """The model of a decoder and its bins."""
    bins = Bins(**{each.name: order[each.name] for each in fields(Bins)})
    return fitted(str(order["decoder"]), str(order["settings"]), bins, tell)


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1]), make))
