"""Figures as files: one style, one size, and neither a date nor an address of anybody."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any, Literal

from matplotlib.figure import Figure

from plotters.pictures.panel import Colours

Kind = Literal["png", "svg", "pdf"]


def to_file(figure: Figure, kind: Kind, title: str, width: int) -> bytes:
    """Write a figure; `width` is in pixels, which a PDF has not."""
    file = BytesIO()
    figure.savefig(file, format=kind, dpi=_dots(figure, width), metadata=_metadata(kind, title))
    return _sized(file.getvalue(), width) if kind == "svg" else file.getvalue()


def style(colours: Colours) -> Any:
    """Matplotlib's settings for a theme; its releases differ in how they type them."""
    return {
        "figure.facecolor": colours["card"],
        "savefig.facecolor": colours["card"],
        "axes.facecolor": colours["plot"],
        "axes.edgecolor": colours["line"],
        "axes.labelcolor": colours["muted"],
        "axes.titlecolor": colours["text"],
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlepad": 6,
        "axes.labelsize": 9,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": colours["grid"],
        "grid.linewidth": 0.7,
        "xtick.color": colours["line"],
        "ytick.color": colours["line"],
        "xtick.labelcolor": colours["muted"],
        "ytick.labelcolor": colours["muted"],
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "legend.labelcolor": colours["text"],
        "legend.handlelength": 1.2,
        "legend.columnspacing": 1.2,
        "legend.borderaxespad": 0.0,
        "hatch.color": colours["unobserved"],
        "hatch.linewidth": 0.8,
        "text.color": colours["text"],
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "svg.fonttype": "none",
        "svg.hashsalt": "PhantomDeck",
        "pdf.fonttype": 42,
    }


def _dots(figure: Figure, width: int) -> float:
    """Per inch, so that a PNG has exactly `width` pixels."""
    return (width + 0.01) / float(figure.get_figwidth())


def _metadata(kind: Kind, title: str) -> dict[str, str | None]:
    """A title, and neither a date nor an address of anybody."""
    match kind:
        case "svg":
            return dict.fromkeys(("Creator", "Date", "Format", "Type"))
        case "pdf":
            return {"Title": title, "Creator": "PhantomDeck", "Producer": None, "CreationDate": None}
        case _:
            return {"Title": title, "Software": None}


def _sized(svg: bytes, width: int) -> bytes:
    """Say the size in pixels instead of points."""

    def pixels(match: re.Match[bytes]) -> bytes:
        height = round(width * float(match[2]) / float(match[1]))
        return b'width="%d" height="%d"' % (width, height)

    return re.sub(rb'width="([\d.]+)pt" height="([\d.]+)pt"', pixels, svg, count=1)
