"""The cards of the Explore page, and what makes each change."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.explore.draw_trials import draw_aligned, draw_paths
from dashboard.explore.draw_units import draw_preferred, draw_rates, draw_tuning
from dashboard.explore.drawing import Draw, Drawing, View
from dashboard.explore.study import Study

TITLES = {
    "paths": "Paths",
    "raster": "Raster",
    "psth": "PSTH",
    "tuning": "Tuning",
    "preferred": "Preferred directions",
    "rates": "Firing rates",
}

CARDS: Mapping[Draw, tuple[str, ...]] = {
    draw_paths: ("split", "chosen"),
    draw_aligned: ("event", "split", "unit", "before", "after", "bins_per_step", "smoothing", "chosen"),
    draw_tuning: ("unit",),
    draw_preferred: ("unit",),
    draw_rates: ("unit",),
}
"""What is drawn, and the parts of a view on which it depends."""


def draw(study: Study, view: View, before: View | None = None) -> Drawing:
    """Draw what has changed since another view; everything if there was none."""
    drawing = Drawing()
    for card, parts in CARDS.items():
        if before is None or any(getattr(view, part) != getattr(before, part) for part in parts):
            drawing.add(card(study, view))
    return drawing
