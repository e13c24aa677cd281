"""A figure that is drawn for its place on the page."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from dashboard.table import STYLES

RESOURCES = Path(__file__).parents[2] / "resources"
NARROWEST, WIDEST = 300, 1100
"""Pixels."""


class Figure(JSComponent):
    """An SVG, and what there is of room for it (`resources/figure.js`)."""

    source = param.String(default="", doc="Address of the picture.")
    about = param.String(default="", doc="For those who do not see it.")
    theme = param.String(default="", doc="Of the page; empty before the browser has told.")
    space = param.Integer(default=0, doc="Pixels; 0 before the browser has told.")

    _esm = (RESOURCES / "figure.js").read_text()

    def __init__(self, about: str, **params: Any) -> None:
        super().__init__(about=about, stylesheets=[*STYLES, "resources/calibrate.css"], **params)  # type: ignore[no-untyped-call]

    @property
    def place(self) -> tuple[str, int] | None:
        """Theme and width to draw for; None before the browser has told. Browsers can tell anything."""
        if self.theme not in ("dark", "light") or self.space <= 0:
            return None
        return self.theme, min(max(self.space, NARROWEST), WIDEST)

    def put(self, svg: bytes) -> None:
        """Show a picture."""
        self.source = f"data:image/svg+xml;base64,{b64encode(svg).decode()}"
