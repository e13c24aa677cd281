"""The live plots. A new one is a file here and its name below."""

from __future__ import annotations

from plotters.base import Plotter
from plotters.raster import Raster

PLOTTERS: tuple[type[Plotter], ...] = (Raster,)
"""In the order in which the page shows them."""
