"""What the commands that connect to a running server share: its address, its refusals, its messages."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import msgpack
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from sessions.commands.tls import distrust, no_tls, perhaps_other, trusted

URL = "ws://127.0.0.1:8000"
DECODING = "Decoding session"
"""What ``serve.py decode`` says first when it has learned and answers packets."""
ANSWER_WITHIN = 10.0
"""Seconds for connecting, and for the first message."""
LEFT_WITHIN = 1.0
"""Seconds for which a goodbye may stay unanswered."""
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
        request = HTTPRequest(
            f"{url}{stream}",
            headers=credentials(token),
            connect_timeout=ANSWER_WITHIN,
            ssl_options=trusted(),
        )
        return await websocket_connect(request, ping_interval=PING_INTERVAL)
    except (OSError, HTTPClientError, WebSocketError) as error:
        raise unreachable(url, error, "refuses a decoder") from None


async def receive(connection: WebSocketClientConnection) -> dict[str, Any] | None:
    """The next message; None if there is none, for the connection's end or for its silence."""
    try:
        message = await asyncio.wait_for(connection.read_message(), ANSWER_WITHIN)
    except TimeoutError:
        return None
    return None if message is None else dict(msgpack.unpackb(message))


async def leave(connection: WebSocketClientConnection) -> None:
    """Say goodbye, wait a second at most until that is answered, and hang up."""
    stream = None if connection.protocol is None else connection.protocol.stream
    connection.close()
    if stream is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEFT_WITHIN):
                while not stream.closed() and await connection.read_message() is not None:
                    pass
        stream.close()


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


def unreachable(url: str, error: Exception, verb: str = "says") -> Unreachable:
    """What to raise for an error of Tornado's clients.

    Parameters
    ----------
    url : str
        Of the stream port.
    error : Exception
    verb : str
        What stands before the reason that a server gives for its refusal.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(distrust(url, error))
    if isinstance(error, ssl.SSLError):
        return Unreachable(no_tls(url))
    if isinstance(error, HTTPStreamClosedError | ConnectionResetError):
        return Unreachable(perhaps_other(url, "hangs up without an answer"))
    if isinstance(error, HTTPTimeoutError):
        return Unreachable(perhaps_other(url, "does not answer in time"))
    if isinstance(error, HTTPClientError):
        return Unreachable(f"{url} {verb}: {refusal_in(error)}")
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


def quieten() -> None:
    """Leave what goes wrong to this command's own line: Tornado has a log for it, too."""
    logging.getLogger("tornado").addHandler(logging.NullHandler())


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
