"""What the REST call answers that decoders ask for bins; the fields of a bin are those of the schema."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ConfigDict, Field, create_model

from engine.bins import schema
from sessions.rest.models.base import Answer, Number
from sessions.streams.packets import WIRE

KINDS: Final = {"q": int, "i": int, "I": int, "d": Number, "f": Number, "?": bool}
"""By the type of a field of rows."""
MEANT: Final[dict[str, Any]] = {"trial_id": int | None, "perturbation": list[str]}
"""Those that mean something else on the wire."""
UNITS: Final = {
    "sequence_number": "Of this session; a gap is a packet that was lost on its way.",
    "timestamp": "When the bin was due, Unix seconds.",
    "trial_time_ms": "Its start within its trial; null outside.",
    "coverage": "Share of the bin that was recorded, 0 to 1.",
    "packet_id": "Index in the recording.",
    "perturbation": "Names of the models that were on.",
    "kinematics": "Length units, and per second; null where missing.",
    "intended": "In closed loop alone: the velocity that the user wanted.",
}


class SpikesAnswer(Answer):
    model_config = ConfigDict(title="Spikes")

    channel_ids: list[int]
    spike_counts: list[int] = Field(description="Of each unit.")
    bin_size_ms: float


def _kind(field: schema.Field) -> Any:
    if field.n == 1:
        return MEANT.get(field.wire, KINDS[field.kind])
    parts: dict[str, Any] = {
        part.lstrip("#"): (int | None if part.startswith("#") else Number, ...) for part in field.parts
    }
    return create_model(field.wire.title(), __base__=Answer, **parts)


_fields: dict[str, Any] = {
    field.wire: (
        _kind(field) | None if field.only else _kind(field),
        Field(default=None if field.only else ..., description=UNITS.get(field.wire)),
    )
    for field in WIRE
}
_Bin: Any = create_model("FlatBin", __base__=Answer, **_fields)


class BinAnswer(_Bin):  # type: ignore[misc]  # its fields are the schema's
    """A bin in the flat layout."""

    model_config = ConfigDict(title="Bin")

    type: str = Field(description="`data`.")
    spikes: SpikesAnswer
    dropped: int = Field(description="0: what was lost stands beside the bins.")


class BinsAnswer(Answer):
    """Bins from a sequence number on, oldest first."""

    model_config = ConfigDict(title="Bins")

    bins: list[BinAnswer] = Field(description="None if none came in time.", max_length=400)
    lost: int = Field(description="How many had left the ring before the first of these.")
    next: int = Field(description="What to ask for next, as `since`.")
    decoder: str | None = Field(description="The name under which the decoder's predictions count.")
