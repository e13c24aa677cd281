"""The templates of all pages, and what each of them may use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bokeh import __version__ as bokeh_version
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from panel import __version__ as panel_version

from dashboard import theme


def script_json(value: Any) -> Markup:
    """JSON that is safe inside a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def widgets(root: Any) -> Markup:
    """Where the page puts one of Panel's objects."""
    return Markup('<div class="widgets" id="{0}" data-root-id="{1}"></div>').format(root.elementid, root.id)


def templates(mount: str) -> Environment:
    """All templates.

    Parameters
    ----------
    mount : str
        Path under which a proxy has the pages.
    """
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bokeh, panel = f"{mount}/static/js", f"{mount}/static/extensions/panel"
    made.filters["script_json"] = script_json
    made.globals |= {
        "style": Markup(theme.style_sheet()),
        "bokeh_version": bokeh_version,
        "mount": mount,
        "scripts": [
            f"{bokeh}/bokeh-widgets.min.js?v={bokeh_version}",
            f"{bokeh}/bokeh-tables.min.js?v={bokeh_version}",  # which Panel needs to load
            f"{panel}/panel.min.js?v={panel_version}",
        ],
        "widgets": widgets,
    }
    return made
