"""The WebSocket as decoders meet it: addresses, formats, selections, refusals and goodbyes."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from http.client import HTTPConnection
from itertools import pairwise
from typing import Any

import msgpack
import pytest
import websocket

from engine.bins.selection import Selection
from sessions.gate import Origins
from sessions.metadata import metadata
from sessions.options import Options
from sessions.store import Store
from tests.builders import small_recording
from tests.sessions.frames import BINARY, PING, TEXT
from tests.sessions.streaming import Packet, PlainDecoder, Served, message, streaming

FAST = Options(speed=20.0)
MAX_MESSAGE = 64 * 1024
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def ids(packets: list[Packet]) -> list[int]:
    return [packet["packet_id"] for packet in packets]


# Addresses, formats, layouts


@pytest.mark.parametrize(("path", "opcode"), [("/stream/deck", TEXT), ("/stream/binary/deck", BINARY)])
def test_first_message_is_the_metadata_in_the_format_of_the_address(
    stream_server: Served, path: str, opcode: int
) -> None:
    decoder = stream_server.decoder(path)
    facts = metadata(stream_server.store.recording)

    assert decoder.metadata == {
        **facts,
        "type": "metadata",
        "data": facts,
        "session": {
            "code": "deck",
            "url": f"ws://127.0.0.1:{stream_server.port}/stream/deck",
            "decoder": None,
        },
    }
    assert decoder.frame()[0] == opcode


def test_unknown_code_creates_the_session(stream_server: Served) -> None:
    decoder = stream_server.decoder("/stream/brand-new_1")

    assert list(stream_server.store.sessions) == ["brand-new_1"]
    assert decoder.metadata["session"]["code"] == "brand-new_1"


@pytest.mark.parametrize("path", ["/stream", "/stream/", "/stream/binary", "/stream/binary/"])
def test_address_without_a_code_makes_a_session_of_its_own(stream_server: Served, path: str) -> None:
    codes = [stream_server.decoder(path).metadata["session"]["code"] for _ in range(2)]

    assert len(set(codes)) == 2
    assert set(codes) == set(stream_server.store.sessions)


def test_decoder_that_starts_a_session_gets_it_from_its_first_bin(stream_server: Served) -> None:
    before = time.time()
    packets = stream_server.decoder().data(5)

    assert ids(packets) == [0, 1, 2, 3, 4]
    assert [packet["sequence_number"] for packet in packets] == [0, 1, 2, 3, 4]
    assert before <= packets[0]["timestamp"] <= time.time()
    steps = [b["timestamp"] - a["timestamp"] for a, b in pairwise(packets)]
    assert steps == pytest.approx([0.025] * 4, abs=1e-5)


@pytest.mark.parametrize(
    ("path", "query", "opcode", "places"),
    [
        ("/stream/deck", {}, TEXT, ["data"]),
        ("/stream/deck", {"layout": "full"}, TEXT, ["top", "data"]),
        ("/stream/deck", {"layout": "flat"}, TEXT, ["top"]),
        ("/stream/deck", {"format": "msgpack"}, BINARY, ["top", "data"]),
        ("/stream/deck", {"format": "msgpack", "layout": "flat"}, BINARY, ["top"]),
        ("/stream/binary/deck", {}, BINARY, ["top", "data"]),
        ("/stream/binary/deck", {"layout": "enveloped"}, BINARY, ["data"]),
        ("/stream/binary/deck", {"layout": "compact"}, BINARY, ["compact"]),
        ("/stream/binary/deck", {"format": "json"}, TEXT, ["data"]),
    ],
)
def test_format_and_layout_follow_the_address_and_the_query(
    stream_server: Served, path: str, query: dict[str, str], opcode: int, places: list[str]
) -> None:
    found, payload = stream_server.decoder(path, **query).frame()
    packet = message(found, payload)
    has = {"top": "sequence_number" in packet, "data": "data" in packet, "compact": "s" in packet}

    assert found == opcode
    assert [place for place, there in has.items() if there] == places


def test_decoders_on_one_session_see_the_same_packets(stream_server: Served) -> None:
    stream_server.store.create("deck", FAST)
    text, packed = stream_server.decoder(), stream_server.decoder("/stream/binary/deck")
    joined = packed.data(50)
    first = joined[0]["sequence_number"]
    seen = text.until(lambda packet: packet["sequence_number"] == first + 49)

    assert seen[first - seen[0]["sequence_number"] :] == joined


def test_later_decoder_joins_where_the_others_are(stream_server: Served) -> None:
    stream_server.store.create("deck", FAST)
    early = stream_server.decoder()
    early.until(lambda packet: packet["sequence_number"] == 30)
    late = stream_server.decoder()

    assert late.data(1)[0]["sequence_number"] > 30


def test_sessions_do_not_touch_each_other(stream_server: Served) -> None:
    one, other = stream_server.decoder("/stream/one"), stream_server.decoder("/stream/other", trial_id=2)
    stream_server.store.get("one").replay.pause()

    assert ids(other.data(5)) == [100, 101, 102, 103, 104]
    stream_server.store.get("one").replay.resume()
    assert ids(one.data(30)) == list(range(30))


def test_pause_and_the_end_leave_the_socket_open(stream_server: Served) -> None:
    replay = stream_server.store.create("deck", Options(speed=20.0, loop=False)).replay
    decoder = stream_server.decoder()
    decoder.data(10)
    replay.pause()
    replay.resume()
    assert ids(decoder.until(lambda packet: packet["packet_id"] == 199)) == list(range(10, 200))

    replay.resume()
    assert ids(decoder.data(3)) == [0, 1, 2]


# Selections


@pytest.mark.parametrize(
    ("query", "selection", "first"),
    [
        ({"trial_id": 2}, Selection(trial_ids=(2,)), 100),
        ({"trial_id": [3, 1]}, Selection(trial_ids=(1, 3)), 50),
        ({"target_id": 2}, Selection(target_ids=(2,)), 100),
        ({"trial_id": [1, 3], "target_id": [0, 2]}, Selection((1, 3), (0, 2)), 150),
    ],
)
def test_selection_in_the_query_is_set(
    stream_server: Served, query: dict[str, Any], selection: Selection, first: int
) -> None:
    decoder = stream_server.decoder(**query)

    assert stream_server.store.get("deck").replay.selection == selection
    assert ids(decoder.data(2)) == [first, first + 1]


def test_selection_is_set_anew_once_nobody_else_is_connected(stream_server: Served) -> None:
    stream_server.store.create("deck", FAST)
    first = stream_server.decoder(trial_id=1)
    assert ids(first.data(1)) == [50]
    first.close()

    assert ids(stream_server.decoder(trial_id=3).data(1))[0] in range(150, 200)


def test_decoder_joins_the_selection_in_force(stream_server: Served) -> None:
    stream_server.decoder(trial_id=[1, 2])
    for again in ([], [1, 2], [2, 1, 2]):
        assert set(ids(stream_server.decoder(trial_id=again).data(3))) <= set(range(50, 150))


def test_selection_against_the_one_in_force_is_refused(stream_server: Served) -> None:
    stream_server.decoder(trial_id=1)
    status, body = stream_server.refused(trial_id=2)

    assert (status, body["error"]["code"]) == (409, "conflict")
    assert body["detail"] == (
        "Session deck has 1 decoder(s) on another selection. "
        "Connect without one, or to a session of your own."
    )
    assert stream_server.store.get("deck").replay.selection == Selection(trial_ids=(1,))


def test_decoder_that_vanishes_no_longer_holds_the_selection(stream_server: Served) -> None:
    for _ in range(20):
        gone = stream_server.decoder(trial_id=1)
        gone.data(1)
        gone.close()
        stream_server.decoder(trial_id=2).close()
    stream_server.decoder("/stream/other")  # by then the last goodbye has been dealt with

    assert stream_server.store.get("deck").decoders == 0


def test_decoders_that_vanish_at_any_moment_leave_no_trace(
    stream_server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    session = stream_server.store.create("deck", Options(speed=20.0))
    for i in range(60):
        decoder = PlainDecoder(stream_server.port, "/stream/deck", slow=True)
        if i % 3 > 0:
            decoder.wait_open()
        if i % 3 > 1:
            for _ in range(20):
                decoder.send("{")
        decoder.vanish()
    stream_server.decoder().until(lambda _: session.decoders == 1)

    assert [audience.size for audience in session.audiences] == [1]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        ({"trial_id": 9}, "unknown_trial", "Unknown trial 9. This recording has trials 0 to 3."),
        ({"target_id": 9}, "unknown_target", "Unknown target 9. This recording has targets 0 to 2."),
        (
            {"trial_id": 0, "target_id": 1},
            "empty_selection",
            "The selection holds no bin. Choose other trials, targets, outcome, part of the trial or "
            "packets; this recording has packets 0 to 199.",
        ),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_selection_that_cannot_be_played_is_refused(
    stream_server: Served, query: dict[str, Any], code: str, detail: str, exists: bool
) -> None:
    if exists:
        stream_server.store.create("deck")
    status, body = stream_server.refused(**query)

    assert (status, body) == (404, {"error": {"code": code, "message": detail}, "detail": detail})
    assert ("deck" in stream_server.store.sessions) == exists
    assert ids(stream_server.decoder().data(1)) == [0]


# Refusals


@pytest.mark.parametrize(
    ("path", "query", "code", "names"),
    [
        ("/stream/deck", {"format": "xml"}, "bad_setting", "'xml'. There are json, msgpack"),
        ("/stream/deck", {"layout": "wide"}, "bad_setting", "'wide'. There are full, flat"),
        ("/stream/deck", {"queue": "endless"}, "bad_setting", "'endless'. There are latest"),
        ("/stream/deck", {"layout": "compact"}, "bad_setting", "Add format=msgpack"),
        ("/stream/deck", {"trial": "1"}, "bad_setting", "'trial'. There are trial_id"),
        ("/stream/deck", {"trial_id": "one"}, "bad_setting", "trial_id takes whole numbers"),
        ("/stream/deck", {"target_id": "1,2"}, "bad_setting", "target_id takes whole numbers"),
        ("/stream/binary/binary", {}, "bad_session_code", "binary and raw are reserved"),
        ("/stream/raw", {}, "bad_session_code", "binary and raw are reserved"),
        ("/stream/deck", {"credit": "0"}, "bad_setting", "1 to 1000"),
        ("/stream/deck", {"credit": "1001"}, "bad_setting", "1 to 1000"),
        ("/stream/deck", {"credit": "one"}, "bad_setting", "1 to 1000"),
        ("/stream/a.b", {}, "bad_session_code", "'a.b'"),
        ("/stream/a%2Fb", {}, "bad_session_code", "'a/b'"),
        (f"/stream/{'x' * 65}", {}, "bad_session_code", "Use 1 to 64 letters"),
    ],
)
def test_what_is_not_understood_is_refused_in_one_line(
    stream_server: Served, path: str, query: dict[str, str], code: str, names: str
) -> None:
    status, body = stream_server.refused(path, **query)

    assert (status, body["error"]["code"]) == (422, code)
    assert names in body["detail"]
    assert "\n" not in body["detail"]
    assert stream_server.store.sessions == {}


def test_full_server_refuses_with_503_while_all_sessions_have_listeners() -> None:
    with streaming(Store({"small": small_recording()}, max_sessions=1)) as served:
        first = served.decoder("/stream/one")
        status, body = served.refused("/stream/two")
        assert (status, body["error"]["code"]) == (503, "too_many_sessions")

        first.close()
        assert ids(served.decoder("/stream/two").data(1)) == [0]


def test_page_of_another_origin_is_refused_and_leaves_no_trace(stream_server: Served) -> None:
    stream_server.store.create("deck")
    for path in ("/stream/deck", "/stream/other"):
        status, body = stream_server.refused(path, origin="https://elsewhere.example", trial_id=1)
        assert (status, body["error"]["code"]) == (403, "forbidden")
        assert "https://elsewhere.example" in body["detail"]

    assert list(stream_server.store.sessions) == ["deck"]
    assert stream_server.store.get("deck").replay.selection.is_everything


def test_pages_of_our_ports_and_of_allowed_origins_may_connect() -> None:
    with streaming(origins=Origins((5006,), ("https://lab.example",))) as served:
        for origin in ("http://127.0.0.1:5006", "https://lab.example", f"http://127.0.0.1:{served.port}"):
            served.decoder(origin=origin)


def test_address_opened_without_websocket_makes_no_session(stream_server: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{stream_server.port}/stream/deck", timeout=20)
    with refused.value as answer:
        assert answer.code == 400
        assert b"WebSocket" in answer.read()

    assert stream_server.store.sessions == {}


@pytest.mark.parametrize(
    "spoiled",
    [
        {"Connection": "close"},
        {"Upgrade": "h2c"},
        {"Sec-WebSocket-Version": "12"},
        {"Sec-WebSocket-Key": ""},
    ],
    ids=lambda spoiled: next(iter(spoiled)),
)
def test_a_handshake_that_is_none_makes_no_session(stream_server: Served, spoiled: dict[str, str]) -> None:
    with closing(HTTPConnection("127.0.0.1", stream_server.port, timeout=20)) as connection:
        connection.request("GET", "/stream/deck", headers=HANDSHAKE | spoiled)
        with connection.getresponse() as answer:
            assert (answer.status, json.load(answer)["error"]["code"]) == (400, "not_an_upgrade")

    assert stream_server.store.sessions == {}


@pytest.mark.parametrize(("method", "status"), [("GET", 400), ("POST", 405)])
def test_what_tornado_refuses_looks_like_every_refusal(
    stream_server: Served, method: str, status: int
) -> None:
    with closing(HTTPConnection("127.0.0.1", stream_server.port, timeout=20)) as connection:
        connection.request(method, "/stream/deck?decoder=%ff", headers=HANDSHAKE)
        with connection.getresponse() as answer:
            assert answer.status == status
            assert json.load(answer).keys() == {"error", "detail"}


# Messages from clients


@pytest.mark.parametrize(
    ("send", "code"),
    [
        ("send", "{"),
        ("send", "NaN"),
        ("send", "[1, 2]"),
        ("send", '{"type": "dance"}'),
        ("send", "[" * 60_000),
        ("send", '"' + "x" * (MAX_MESSAGE - 2) + '"'),
        ("send_binary", b"\xc1"),
        ("send_binary", b"\x92\x01"),
        ("send_binary", b""),
        ("send_binary", msgpack.packb({"type": "dance"})),
        ("send_binary", b"\x91" * 60_000),
    ],
)
def test_message_that_makes_no_sense_gets_an_error_and_the_stream_goes_on(
    stream_server: Served, send: str, code: Any
) -> None:
    decoder = stream_server.decoder()
    decoder.data(2)
    getattr(decoder.socket, send)(code)
    read = decoder.read()
    before = 2
    while read["type"] == "data":
        before += 1
        read = decoder.read()

    assert read["type"] == "error"
    assert read["error"]["code"] in ("unreadable", "unknown_message")
    assert read["detail"] == read["error"]["message"]
    assert ids(decoder.data(3)) == [before, before + 1, before + 2]


def test_errors_come_in_the_format_of_the_stream(stream_server: Served) -> None:
    decoder = stream_server.decoder("/stream/binary/deck")
    decoder.socket.send("{")

    while (packet := decoder.read())["type"] == "data":
        pass
    assert packet["error"]["code"] == "unreadable"


def test_message_above_64_kib_closes(stream_server: Served) -> None:
    decoder = stream_server.decoder()
    decoder.socket.send("x" * (MAX_MESSAGE + 1))
    with suppress(ConnectionResetError):  # the server does not read the rest of the message
        assert decoder.closed() == 1009


def test_bad_utf_8_closes(stream_server: Served) -> None:
    decoder = stream_server.decoder()
    decoder.socket.send(b"\xff\xfe", websocket.ABNF.OPCODE_TEXT)
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionResetError)):
        decoder.closed()


def test_one_decoder_out_of_order_disturbs_no_other(stream_server: Served) -> None:
    orderly, rude = stream_server.decoder(), stream_server.decoder()
    rude.socket.send("x" * (MAX_MESSAGE + 1))
    with suppress(ConnectionResetError):
        rude.closed()

    assert ids(orderly.data(10)) == list(range(10))


# Goodbyes


def test_deleted_session_closes_with_1000(stream_server: Served) -> None:
    decoders = [stream_server.decoder(), stream_server.decoder("/stream/binary/deck", layout="compact")]
    stream_server.store.delete("deck")

    assert [decoder.closed() for decoder in decoders] == [1000, 1000]
    assert ids(stream_server.decoder().data(1)) == [0]


def test_server_that_goes_down_closes_with_1001(stream_server: Served) -> None:
    stream_server.store.create("deck", FAST)
    decoders = [stream_server.decoder(), stream_server.decoder("/stream/other")]
    decoders[0].data(10)
    stream_server.store.close()

    assert [decoder.closed() for decoder in decoders] == [1001, 1001]
    assert stream_server.refused()[0] == 503


def test_nothing_is_sent_after_the_goodbye(stream_server: Served, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(10):
        stream_server.store.create("deck", Options(speed=100.0))
        slow = stream_server.slow_decoder("/stream/deck")
        slow.until(lambda packet: packet["sequence_number"] == 5)
        stream_server.store.delete("deck")
        assert slow.rest()[1] == 1000
        slow.close()

    assert caplog.records == []


def test_session_cannot_be_deleted_under_its_decoders_unless_forced(stream_server: Served) -> None:
    decoder = stream_server.decoder()
    with pytest.raises(Exception, match="has 1 decoder"):
        stream_server.store.delete("deck", force=False)
    decoder.close()
    stream_server.decoder("/stream/other")  # by then the goodbye has been dealt with

    stream_server.store.delete("deck", force=False)
    assert list(stream_server.store.sessions) == ["other"]


def test_server_pings_so_that_dead_connections_are_found(
    stream_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.streams.stream.PING_INTERVAL", 0.05)
    slow = stream_server.slow_decoder("/stream/deck")

    assert any(opcode == PING for opcode, _ in slow.frames(pings=True))


def test_server_with_connections_that_never_answer_goes_down_all_the_same() -> None:
    with streaming() as served:
        served.slow_decoder("/stream/deck")
        served.store.close()
        served.server.stop()
        served.server.stop()
