"""What the Explore page shows: columns of its sources, ranges and sentences, for some settings.

The names of sources and models are those of `dashboard.explore.figures`; nothing here knows Bokeh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dashboard.explore.study import Rows, Study
from engine.bins.trials import TrialEvent

Columns = dict[str, Any]


@dataclass(frozen=True)
class View:
    """The settings, with the trials found."""

    event: TrialEvent
    split: str
    unit: int
    before: float
    after: float
    bins_per_step: int
    smoothing: float
    chosen: tuple[int, ...]
    """Rows in the trial table; all of them if nothing in particular was chosen."""

    @property
    def rows(self) -> Rows:
        return np.array(self.chosen, np.intp)


@dataclass
class Drawing:
    """Of one or more cards.

    Attributes
    ----------
    sources : dict
        Columns by name of source.
    models : dict
        Properties by name of model.
    captions, messages : dict
        By card; a message stands in place of the plot, if it is not empty.
    """

    sources: dict[str, Columns] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    captions: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)

    def add(self, other: Drawing) -> None:
        self.sources |= other.sources
        self.models |= other.models
        self.captions |= other.captions
        self.messages |= other.messages

    def say(self, card: str, caption: str = "", message: str = "") -> None:
        self.captions[card], self.messages[card] = caption, message


Draw = Callable[[Study, View], Drawing]
