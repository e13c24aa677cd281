"""Redis: where it is, how long it may take to answer, what keys are called, and what its faults mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine.brokers.files import check_file
from engine.errors import BadSetting, BrokerFault

ANSWER_WITHIN: Final = 1.0
"""Seconds; beyond them the connection is given up."""
VERSION: Final = 1
"""Of the entries of all streams, which carry it as ``v``."""
KEPT: Final = 2400
"""Entries of a stream that Redis keeps, about."""
SESSIONS: Final = "phantomdeck:sessions"
"""Hash from a session's code to what is known of it, as JSON."""

Part = Literal["bins", "events", "predictions"]
PARTS: Final[tuple[Part, ...]] = ("bins", "events", "predictions")

FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""Options of an address that name files."""

_GROUP: Final = "phantomdeck"


def stream_key(code: str, part: Part) -> str:
    """The stream of one kind of a session."""
    return f"phantomdeck:{code}:{part}"


def server_key(server: str) -> str:
    """The addresses of a server, as JSON; gone some seconds after it."""
    return f"phantomdeck:server:{server}"


class RedisPlace:
    """A Redis server, which may be away.

    Parameters
    ----------
    url : str
        Such as ``redis://rig1:6379/0``; it may hold a password.

    Attributes
    ----------
    name : str
        Host and port, for messages.

    Raises
    ------
    BadSetting
        If it is no such address.
    """

    def __init__(self, url: str) -> None:
        try:
            self._pool = redis.ConnectionPool.from_url(
                url,
                socket_timeout=ANSWER_WITHIN,
                socket_connect_timeout=ANSWER_WITHIN,
                retry=Retry(NoBackoff(), 0),  # whoever calls tries again, visibly
                protocol=2,
            )
            self._pool.make_connection()  # which knows the options that an address may have
        except (ValueError, TypeError):
            raise BadSetting(
                "The address of Redis cannot be read. Send redis://HOST:PORT/0, rediss://HOST:PORT/0 or "
                "redis://USER:PASSWORD@HOST:PORT/0, and ?ssl_ca_certs=FILE for an authority of your own."
            ) from None
        for name in FILES:
            check_file(name, self._pool.connection_kwargs.get(name))
        options = self._pool.connection_kwargs
        path = options.get("path")
        self.name = path or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"

    def connect(self) -> redis.Redis:
        """A client with a connection of its own, which opens with its first command."""
        pool = redis.ConnectionPool(
            self._pool.connection_class, max_connections=1, **self._pool.connection_kwargs
        )
        return redis.Redis.from_pool(pool)

    def send(self, connection: Any, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Send commands in one go, and wait for the answers: in half of a client's time."""
        with self.faults():
            connection.send_packed_command(connection.pack_commands(commands))
            return [connection.read_response() for _ in commands]

    def connection(self) -> Any:
        """A bare connection for one thread, to be closed after a fault; it opens with the first command."""
        return self._pool.make_connection()

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn what goes wrong in the block into a `BrokerFault`."""
        try:
            yield
        except redis.RedisError as error:
            raise BrokerFault(f"Redis at {self.name} {_meaning(error)}") from None


def make_stream(client: redis.Redis, key: str) -> None:
    """Make sure that there is a stream, which may be empty. Entries are only ever added to one that is
    there, so that nothing that comes late brings it back when it has been deleted."""
    if not client.exists(key):
        client.xgroup_create(key, _GROUP, "$", mkstream=True)
        client.xgroup_destroy(key, _GROUP)


def added(key: str, fields: dict[str, Any]) -> tuple[Any, ...]:
    """The command that adds an entry to a stream that is there."""
    entry = [each for pair in fields.items() for each in pair]
    return ("XADD", key, "NOMKSTREAM", "MAXLEN", "~", KEPT, "*", *entry, "v", VERSION)


def _meaning(error: redis.RedisError) -> str:
    if isinstance(error, redis.AuthenticationError) or "authenticat" in str(error).lower():
        return "refuses the password. Give the right one in PHANTOM_REDIS."
    if isinstance(error, redis.TimeoutError):
        return f"has not answered within {ANSWER_WITHIN:g} s. It is tried again."
    if isinstance(error, redis.exceptions.BusyLoadingError):
        return "is loading its data. It is tried again."
    if isinstance(error, redis.ConnectionError) and "certificate verify failed" in str(error).lower():
        return "has a certificate that is not trusted. Name its authority: rediss://...?ssl_ca_certs=FILE."
    if isinstance(error, redis.ConnectionError):
        return "cannot be reached. Start it, or give its address with --redis."
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return "is full. Raise its maxmemory, or let it evict keys."
    if isinstance(error, redis.exceptions.NoPermissionError):
        return "does not permit what is needed. Let the user read and write the keys phantomdeck:*."
    if isinstance(error, redis.ReadOnlyError):
        return "is a replica that cannot be written. Give the address of its master."
    return "has refused a command. It needs version 6.2 or newer."
