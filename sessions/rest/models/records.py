"""What the REST calls about records answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from sessions.archive import EntryState
from sessions.rest.models.base import Answer
from sessions.tape import TapeState


class RecordAnswer(Answer):
    """The newest record of a session."""

    model_config = ConfigDict(title="Record")

    session_code: str
    state: TapeState | Literal["off"] = Field(
        description="`finishing` while the NWB file is made; `off` if there is no record."
    )
    name: str | None = Field(description="Of the record, as `/api/records` takes it.")
    encrypted: bool
    bins: int = Field(description="Packets recorded.")
    seconds: float = Field(description="The same, of recording.")
    bytes: int = Field(description="On the disk.")
    lost: int = Field(description="Packets that were gone before they could be recorded.")
    voltages: bool = Field(description="Whether voltages are recorded, too.")
    voltage_blocks: int = Field(description="Blocks of them that were recorded, 10 ms each.")
    voltage_blocks_lost: int = Field(
        description="Blocks that were gone before they could be recorded, as the disk was too slow."
    )
    error: str | None = Field(description="Why it has failed. The session goes on.")


class RecordEntry(Answer):
    name: str
    state: EntryState = Field(
        description="`unfinished` while it is written, or until the server finishes it."
    )
    encrypted: bool = Field(description="Known of finished ones.")
    bytes: int
    modified: datetime


class RecordList(Answer):
    records: list[RecordEntry]
    count: int
