"""The page that is no Panel application yet: Calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dashboard.calibration import choices
from dashboard.frames import spell_time
from dashboard.templates import script_json, templates
from engine.bins.description import Recorded
from engine.stages.perturb import PRESETS
from sessions.calibrations import KEPT
from sessions.rest.pages import Page, Visit
from sessions.store import Store

__all__ = ["TEMPLATES", "Pages", "facts", "script_json"]

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Renders what `sessions.rest.pages.PageHandler` serves.

    Parameters
    ----------
    store : Store
    prefix : str
        Path under which a proxy has the pages.
    """

    def __init__(self, store: Store, prefix: str = "") -> None:
        self._store = store
        self._templates = templates(prefix)

    def calibrate(self, _: Visit) -> Page:
        """Decoders to fit and test."""
        names = list(self._store.recordings)
        return self._page(
            "calibrate.html", recordings=names, decoders=choices(), kept=KEPT, presets=list(PRESETS)
        )

    def _page(self, template: str, **values: Any) -> Page:
        return Page(self._templates.get_template(template).render(values))


def facts(recording: Recorded) -> list[tuple[str, str]]:
    """What a page says of a recording."""
    return [
        ("Units", f"{recording.n_units}"),
        ("Length", spell_time(recording.duration).partition(".")[0]),
        ("Trials", f"{len(recording.trials)}"),
        ("Target places", f"{len(recording.target_places)}"),
        ("Bins", f"{1e3 * recording.bin_width:g} ms"),
    ]
