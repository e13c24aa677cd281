"""Pictures for slides and paper, in HoloViews on matplotlib. A new panel is a file here and a line below.

They are drawn in a process of their own: nothing here is loaded into the server.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.moment import Plot
from plotters.pictures.arena import draw_arena
from plotters.pictures.panel import Panel
from plotters.pictures.raster import draw_raster
from plotters.pictures.traces import draw_position, draw_rate, draw_timing, draw_velocity
from plotters.pictures.units import draw_units

PANELS: Mapping[Plot, Panel] = {
    "raster": Panel("Spike raster", draw_raster, height=2.5),
    "rate": Panel("Population rate", draw_rate, height=0.95),
    "arena": Panel("Arena", draw_arena),
    "position": Panel("Cursor position", draw_position, height=1.15),
    "velocity": Panel("Cursor velocity", draw_velocity, height=1.15),
    "units": Panel("Unit rates", draw_units),
    "timing": Panel("Tick lateness", draw_timing, height=0.75),
}
"""In the order in which a picture shows them."""
