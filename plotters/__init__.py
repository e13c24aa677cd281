"""The live plots. A new one is a file here and its name below."""

from __future__ import annotations

from itertools import chain

from engine.plugins import Modules, classes
from plotters.arena import Arena
from plotters.base import Plotter
from plotters.errors import Errors
from plotters.latency import Latency
from plotters.position import Position
from plotters.quality import Quality
from plotters.raster import Raster
from plotters.rate import Rate
from plotters.timing import Timing
from plotters.units import Units
from plotters.velocity import Velocity

PLOTTERS: tuple[type[Plotter], ...] = (
    *(Raster, Rate, Arena, Position, Velocity, Units, Timing),
    *(Quality, Errors, Latency),
)
"""In the order in which the page shows them."""


def with_plugins(modules: Modules) -> tuple[type[Plotter], ...]:
    """All of them, and those of plugins below."""
    found = (classes(module, Plotter) for module in modules.values())  # type: ignore[type-abstract]
    return (*PLOTTERS, *chain.from_iterable(found))
