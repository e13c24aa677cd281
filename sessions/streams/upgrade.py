"""What every stream asks of a request before there is anything else to do for it."""

from __future__ import annotations

from typing import Final

from tornado.httputil import HTTPServerRequest

from sessions.refusals import NotAnUpgrade

VERSION: Final = "13"
"""Of WebSocket, as in RFC 6455."""


def check_upgrade(request: HTTPServerRequest) -> None:
    """Refuse here what Tornado would refuse later, when there is a session already.

    Raises
    ------
    NotAnUpgrade
    """
    headers = request.headers
    connection = [each.strip().lower() for each in headers.get("Connection", "").split(",")]
    if (
        headers.get("Upgrade", "").lower() != "websocket"
        or "upgrade" not in connection
        or headers.get("Sec-WebSocket-Version") != VERSION
        or not headers.get("Sec-WebSocket-Key")
    ):
        raise NotAnUpgrade(
            f"This address speaks WebSocket alone, version {VERSION}. Connect a decoder to it."
        )
