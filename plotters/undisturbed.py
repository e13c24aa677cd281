"""The raster as it would be if nothing were disturbed or lost: what a comparison looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from plotters.base import News, Place, Update
from plotters.raster import Raster


class Undisturbed(Raster):
    """The raster of the same bins with the counts that they came with."""

    name = "undisturbed"
    title = "Undisturbed"
    place = Place(twin=True)

    @property
    def caption(self) -> str:
        return "The same bins as they came, before any perturbation."

    def update(self, news: News) -> Iterable[Update]:
        rows = news.rows.copy()
        rows["counts"] = self.scene.recording.clean(rows["packet_id"])
        rows["lost"] = False
        return super().update(replace(news, rows=rows))
