"""The live plots. A new one is a file here and its name below."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.bins.description import Description
from engine.errors import BadSetting
from engine.plugins import Modules, classes
from plotters.arena import Arena
from plotters.array import Array
from plotters.base import Plotter
from plotters.latency import Latency
from plotters.position import Position
from plotters.position_error import Errors
from plotters.quality import Quality
from plotters.raster import Raster
from plotters.rate import Rate
from plotters.scope import Scope
from plotters.timing import Timing
from plotters.undisturbed import Undisturbed
from plotters.units import Units
from plotters.velocity import Velocity
from plotters.waveforms import Waveforms

PLOTTERS: tuple[type[Plotter], ...] = (
    *(Raster, Scope, Waveforms, Rate, Arena, Array, Position, Velocity, Units, Timing),
    *(Quality, Errors, Latency),
    Undisturbed,
)
"""In the order in which the page shows them."""

NAME: Final = re.compile("[a-z][a-z0-9_-]*")
NAMED: Final = "small letters, digits, - and _"
"""What a page's addresses and styles can name."""


def suited(plotters: Iterable[type[Plotter]], description: Description) -> tuple[type[Plotter], ...]:
    """Those that sessions of such bins have."""
    return tuple(each for each in plotters if each.suits(description))


def with_plugins(modules: Modules) -> tuple[type[Plotter], ...]:
    """All of them, and those of plugins below.

    Raises
    ------
    BadSetting
        If one has no name, no title, or the name of another.
    """
    plotters = list(PLOTTERS)
    for file, module in modules.items():
        found = list(classes(module, Plotter))  # type: ignore[type-abstract]
        for each in found:
            name = getattr(each, "name", None)
            if name is None and any(issubclass(other, each) for other in found if other is not each):
                continue  # what those have in common
            if not isinstance(name, str) or not NAME.fullmatch(name):
                said = f"The plot {each.__name__} has the name {name!r}. Take {NAMED}, a letter first."
            elif not isinstance(getattr(each, "title", None), str):
                said = f"The plot {name!r} has no title. Give it one."
            elif any(other.name == name for other in plotters):
                said = f"There is a plot {name!r} already. Give yours another name."
            else:
                plotters.append(each)
                continue
            raise BadSetting(f"Plugin {file}.py: {said}")
    return tuple(plotters)
