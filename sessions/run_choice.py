"""Which runs are meant, as the database is asked for them, and what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COLUMNS: Final = ("ended", "decoder", "recording")
"""That runs can be sorted by; every other name is that of a score."""


@dataclass(frozen=True)
class Choice:
    """Runs of one decoder, on one recording, with one tag; what is None chooses nothing.

    Attributes
    ----------
    decoder, recording, tag : str, optional
    """

    decoder: str | None = None
    recording: str | None = None
    tag: str | None = None

    def where(self) -> tuple[str, list[str]]:
        """The condition, and the values of its question marks."""
        asked = {
            "decoder = ?": self.decoder,
            "recording = ?": self.recording,
            "EXISTS (SELECT 1 FROM json_each(runs.tags) WHERE value = ?)": self.tag,
        }
        given = {condition: value for condition, value in asked.items() if value is not None}
        return " AND ".join(given) or "1", list(given.values())


@dataclass(frozen=True)
class Order:
    """What runs are sorted by; those that have no such score come last.

    Attributes
    ----------
    by : str
        Of `COLUMNS`, or a score's name.
    ascending : bool
    """

    by: str = "ended"
    ascending: bool = False

    def order(self) -> tuple[str, list[str]]:
        """The order, and the values of its question marks."""
        way = "ASC" if self.ascending else "DESC"
        if self.by == "ended":
            return f"ended {way}, id {way}", []
        if self.by in COLUMNS:
            return f"{self.by} {way}, ended DESC, id DESC", []
        return f"json_extract(scores, ?) {way} NULLS LAST, id DESC", [f"$.{self.by}"]


@dataclass(frozen=True)
class Known:
    """What there is to choose from, and how much of it is chosen.

    Attributes
    ----------
    decoders, recordings, tags : tuple of str
        Of all runs.
    count : int
        Runs that are chosen.
    """

    decoders: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    count: int = 0
