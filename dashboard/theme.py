"""Colours, fonts and spacing, dark and light: the only place that knows them.

Style sheets use them as CSS variables (``--card``); plotters name them as roles (`plotters.base.paint`)
and the page resolves the roles, so that a theme changes without asking the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bokeh.palettes import Viridis256

N_COUNT_COLOURS: Final = 64

FONT: Final = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'
MONO: Final = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace'

SPACING: Final[Mapping[str, str]] = {
    "gap-small": "0.5rem",
    "gap": "1rem",
    "gap-large": "1.5rem",
    "radius": "10px",
    "font": FONT,
    "mono": MONO,
}

COLOURS: Final[Mapping[str, Mapping[str, str]]] = {
    "dark": {
        "page": "#0b0f14",
        "card": "#131a22",
        "plot": "#0c1218",
        "line": "#2a3541",
        "edge": "#6b7885",
        "grid": "#1e2832",
        "text": "#e8eef4",
        "muted": "#9aa8b6",
        "accent": "#f2b84b",
        "key": "#f2b84b",
        "on-key": "#1a1204",
        "good": "#56b4e9",
        "bad": "#ff8a65",
        "unobserved": "#3d4651",
        "decoder-1": "#2fd0a0",
        "decoder-2": "#ff7f50",
        "decoder-3": "#e39bc6",
        "decoder-4": "#f0e442",
        "tape": "#1f3d57",
    },
    "light": {
        "page": "#f3f5f7",
        "card": "#ffffff",
        "plot": "#ffffff",
        "line": "#cdd5dd",
        "edge": "#7d8995",
        "grid": "#e6ebf0",
        "text": "#15202b",
        "muted": "#526170",
        "accent": "#8a5a00",
        "key": "#f2b84b",
        "on-key": "#1a1204",
        "good": "#0063a0",
        "bad": "#b3401a",
        "unobserved": "#c9d0d7",
        "decoder-1": "#00785a",
        "decoder-2": "#c24e00",
        "decoder-3": "#a64d83",
        "decoder-4": "#7a6f00",
        "tape": "#cbe0f1",
    },
}
"""Text on its ground has a contrast of 4.5 or more; good and bad differ for colour-blind readers too."""


def count_palette(theme: str) -> list[str]:
    """From no spike, which is the plot's ground, to many; lightness alone tells them apart."""
    n = N_COUNT_COLOURS - 1
    first, last = (100, 255) if theme == "dark" else (165, 0)
    ramp = [Viridis256[round(first + (last - first) * i / (n - 1))] for i in range(n)]
    return [COLOURS[theme]["plot"], *ramp]


GROUP_COLOURS: Final = (
    "#6195ff",
    "#ffa51a",
    "#6c53d0",
    "#9ee2b6",
    "#ff4001",
    "#deb2f0",
    "#1c7a84",
    "#ffff80",
    "#6eaca3",
)
"""Of groups of trials, on a dark ground or with lightness turned on a light one; told apart by all eyes."""
TURN: Final = ((-0.574, 1.43, 0.144), (0.426, 0.43, 0.144), (0.426, 1.43, -0.856))
"""Of red, green and blue that were inverted: their hue, half a turn on, as CSS's `hue-rotate` has it."""


def group_colours(theme: str) -> tuple[str, ...]:
    """`GROUP_COLOURS` on the ground of a theme; on a light one as `resources/explore.css` turns them."""
    return GROUP_COLOURS if theme == "dark" else tuple(turned(colour) for colour in GROUP_COLOURS)


def turned(colour: str) -> str:
    """A colour of the same hue that is as light as this one is dark."""
    inverted = [255 - int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    parts = (sum(share * part for share, part in zip(row, inverted, strict=True)) for row in TURN)
    return "#" + "".join(f"{min(max(round(part), 0), 255):02x}" for part in parts)


def roles() -> dict[str, dict[str, str | list[str]]]:
    """What the page resolves the plotters' roles with, by theme."""
    return {
        theme: {
            **colours,
            "font": FONT,
            "small": "12px",
            "large": "18px",
            "counts": count_palette(theme),
            "marks": [colours["muted"], *(colours[f"decoder-{mark}"] for mark in range(1, 5))],
        }
        for theme, colours in COLOURS.items()
    }


def style_sheet() -> str:
    """The CSS variables: dark unless the page says otherwise (`resources/theme.js`)."""

    def rule(selector: str, values: Mapping[str, str]) -> str:
        return f"{selector} {{ {' '.join(f'--{name}: {value};' for name, value in values.items())} }}"

    return "\n".join(
        (
            rule(":root", SPACING),
            rule(":root", {**COLOURS["dark"], "scheme": "dark"}),
            rule(":root[data-theme=light]", {**COLOURS["light"], "scheme": "light"}),
        )
    )
