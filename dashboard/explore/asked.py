"""What an Explore page may ask for, checked: whoever has its socket can send anything."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Asked(BaseModel):
    """Settings that the form changed, or one thing that was pointed at."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    wish: int = Field(0, description="Its number, from 1.")
    settings: dict[str, Any] = Field({}, description="Of `dashboard.explore.settings.Settings`.")
    box: tuple[float, float, float, float] | None = Field(None, description="x0, x1, y0, y1 in the paths.")
    path: tuple[float, float, float] | None = Field(None, description="x, y in the paths, and how near.")
    row: int | None = Field(None, description="Of the raster.")
    group: int | None = Field(None, description="Of the legend.")
    tip: tuple[float, float] | None = Field(None, description="x, y among the preferred directions.")
