"""Whether a page is dark or light, for figures that Python paints."""

from __future__ import annotations

from typing import Any

import param
from bokeh.plotting import figure
from panel.custom import JSComponent

from dashboard import theme


class Ground(JSComponent):
    """Tells whether the page is dark or light."""

    theme: Any = param.Selector(default="dark", objects=["dark", "light"])

    _esm = """
    export function render({ model }) {
      const tell = () => (model.theme = document.documentElement.dataset.theme);
      document.addEventListener("deck:theme", tell);
      model.on("remove", () => document.removeEventListener("deck:theme", tell));
      tell();
    }
    """


def paint_all(plot: figure, name: str) -> None:
    """Set what `plotters.drawing.paint` has left to the theme of this name."""
    roles: dict[str, Any] = theme.roles()[name]
    for model in plot.references():
        for tag in model.tags:
            model.update(**{each: roles.get(role, role) for each, role in tag["theme"].items()})
