"""The page about what answers say has what answers have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from sessions.rest.models.scores import DecoderScores, MeasuresAnswer
from sessions.rest.models.server import SinkAnswer, StreamAnswer
from sessions.rest.models.sessions import ClosedLoopAnswer, ElsewhereAnswer, SessionList
from tests.sessions.serving import serving
from tests.sessions.streaming import Decoder, Served

PAGE = (Path(__file__).parents[3] / "resources" / "guide" / "wire.md").read_text()
NAMED = set(re.findall(r"`(\w+)`", PAGE))


@pytest.mark.parametrize("model", [SinkAnswer, StreamAnswer, ClosedLoopAnswer, ElsewhereAnswer])
def test_every_field_of_a_part_is_named(model: type[BaseModel]) -> None:
    assert set(model.model_fields) <= NAMED


def test_every_field_that_a_decoder_has_beside_its_measures_is_named() -> None:
    assert set(DecoderScores.model_fields) - set(MeasuresAnswer.model_fields) <= NAMED
    assert "elsewhere" in SessionList.model_fields


def test_the_timetable_of_the_page_is_taken() -> None:
    (body,) = re.findall(r"timetable -d '(.*)'", PAGE)
    with serving() as call:
        call.create("demo")
        assert call("PUT", "/api/sessions/demo/timetable", json.loads(body)).status == 200


def test_the_errors_of_a_socket_are_those_of_the_page(stream_server: Served) -> None:
    other, decoder = (stream_server.decoder("/stream/wire") for _ in range(2))
    number = other.read()["data"]["sequence_number"]
    answer = {"type": "prediction", "sequence_number": number, "decoder": "mine", "x": 1.0, "y": 1.0}
    other.socket.send(json.dumps(answer))
    other.socket.send(json.dumps({"type": "none"}))  # its error tells that the one before was taken
    codes = [error(other)]
    for said in ("{", json.dumps({**answer, "x": None}), json.dumps({"type": "ready"}), json.dumps(answer)):
        decoder.socket.send(said)
        codes.append(error(decoder))
    table = PAGE.partition("## Errors on the WebSocket")[2].partition("## Refusals")[0]
    assert set(codes) == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def error(decoder: Decoder) -> str:
    """The code of the next error."""
    while (message := decoder.read())["type"] != "error":
        pass
    return str(message["error"]["code"])
