"""What Explore shares with the other pages."""

from __future__ import annotations

from pathlib import Path

from dashboard.frames import spell_time
from dashboard.templates import script_json
from engine.bins.description import Recorded

__all__ = ["TEMPLATES", "facts", "script_json"]

TEMPLATES = Path(__file__).parent / "templates"


def facts(recording: Recorded) -> list[tuple[str, str]]:
    """What a page says of a recording."""
    return [
        ("Units", f"{recording.n_units}"),
        ("Length", spell_time(recording.duration).partition(".")[0]),
        ("Trials", f"{len(recording.trials)}"),
        ("Target places", f"{len(recording.target_places)}"),
        ("Bins", f"{1e3 * recording.bin_width:g} ms"),
    ]
