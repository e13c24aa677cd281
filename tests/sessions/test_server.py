"""A connection that says nothing, or half of what it began, is hung up on."""

from __future__ import annotations

import socket

import pytest

from sessions import server
from tests.sessions.serving import serving

PATIENCE = 20.0
SOON = 0.1


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("IDLE_TIMEOUT", b""),
        ("IDLE_TIMEOUT", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("BODY_TIMEOUT", b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"),
    ],
    ids=["nothing", "one request", "half a body"],
)
def test_who_keeps_a_connection_and_says_nothing_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, limit: str, said: bytes
) -> None:
    monkeypatch.setattr(server, limit, SOON)
    with serving() as call, socket.create_connection(("127.0.0.1", call.port), PATIENCE) as connection:
        connection.sendall(said)
        while connection.recv(65536):
            pass
        assert call("GET", "/health").status == 200
        assert call("GET", "/api/sessions").json["sessions"] == {}
