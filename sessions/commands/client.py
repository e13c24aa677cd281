"""What the commands that connect to a running server share: its address, its refusals, its messages."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from typing import Any
from urllib.parse import urlsplit

import msgpack
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

URL = "ws://127.0.0.1:8000"
DECODING = "Decoding session"
"""What ``serve.py decode`` says first when it has learned and answers packets."""
ANSWER_WITHIN = 10.0
"""Seconds for connecting, and for the first message."""
PING_INTERVAL = 20.0
"""Seconds; a server that does not answer one is gone."""


class Unreachable(Exception):
    """There is no server, or it does not let us in; the message is one line for the user."""


async def connect(url: str, stream: str, token: str | None = None) -> WebSocketClientConnection:
    """Connect as a decoder.

    Parameters
    ----------
    url : str
        Of the stream port.
    stream : str
        Path and query.
    token : str, optional
        The server's.

    Raises
    ------
    Unreachable
    """
    try:
        request = HTTPRequest(f"{url}{stream}", headers=credentials(token), connect_timeout=ANSWER_WITHIN)
        return await websocket_connect(request, ping_interval=PING_INTERVAL)
    except HTTPClientError as error:
        raise Unreachable(f"{url} refuses a decoder: {refusal_in(error)}") from None
    except (OSError, WebSocketError) as error:
        raise nobody(url, error) from None


async def receive(connection: WebSocketClientConnection) -> dict[str, Any] | None:
    """The next message; None if there is none, for the connection's end or for its silence."""
    try:
        message = await asyncio.wait_for(connection.read_message(), ANSWER_WITHIN)
    except TimeoutError:
        return None
    return None if message is None else dict(msgpack.unpackb(message))


async def metadata_of(connection: WebSocketClientConnection, url: str) -> dict[str, Any]:
    """The first message.

    Raises
    ------
    Unreachable
        If it does not come.
    """
    metadata = await receive(connection)
    if metadata is None:
        raise Unreachable(f"{url} takes decoders but sends them nothing. See the server's log.")
    return metadata


def nobody(url: str, error: Exception) -> Unreachable:
    """What to raise where there is no server."""
    return Unreachable(
        f"Nobody answers at {url} ({error}). Start the server, or give its stream port with --url."
    )


def refusal_in(error: HTTPClientError) -> str:
    """What the server says, or its status if it is not ours."""
    try:
        return str(json.loads(error.response.body)["detail"])  # type: ignore[union-attr]
    except (AttributeError, ValueError, KeyError, TypeError):
        return f"{error}. Is it PhantomDeck's stream port?"


def credentials(token: str | None) -> dict[str, str]:
    """Headers that show a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def add_server(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the server is and what lets us in."""
    port = os.environ.get("PHANTOM_PORT")
    parser.add_argument(
        "--url",
        default=f"ws://127.0.0.1:{port}" if port else URL,
        type=address,
        help="the stream port (default: %(default)s; PHANTOM_PORT changes its port)",
    )
    parser.add_argument(
        "--token",
        default=os.environ.get("PHANTOM_TOKEN"),
        help="the server's token; better in PHANTOM_TOKEN, as others see command lines",
    )


def http_of(url: str) -> str:
    """Address of the REST calls."""
    return url.replace("ws", "http", 1)


def address(text: str) -> str:
    """A command line's ``--url``."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address such as {URL}")
    return text.rstrip("/")
