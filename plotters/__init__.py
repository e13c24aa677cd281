"""The live plots. A new one is a file here and its name below."""

from __future__ import annotations

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
