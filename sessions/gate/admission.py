"""How many connections a port holds: bounded in all and by address, those first that have asked nothing.

It stands before the gate: a connection that sends nothing costs a descriptor and shows no token.
"""

from __future__ import annotations

import errno
import logging
import math
import socket
import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream

from engine.bins import clock
from sessions.gate.hosts import one_address

log = logging.getLogger(__name__)

RESERVED: Final = 192
"""Descriptors for files, processes, LSL and our own sockets."""
PORTS: Final = 2
"""That share the others."""
FEWEST: Final = 32
ELSEWHERE: Final = 256
"""Connections of a port on Windows, where a selector takes 512 sockets."""
AT_ONCE: Final = 128
"""Connections taken before others have their turn."""
SPARE: Final = 16
"""Connections that go at once where the process has no descriptor left."""
PAUSE: Final = 1.0
"""Seconds for which a full port takes no connections."""
QUIET: Final = 60.0
"""Seconds before the same is told again."""
FULL: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What accept(2) answers where there is nothing left."""


def most_connections() -> int:
    """How many a port may hold, by the descriptors that this process may have."""
    if sys.platform == "win32":
        return ELSEWHERE
    import resource  # which is not there

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = 2**20 if soft == resource.RLIM_INFINITY else soft
    return max((descriptors - RESERVED) // PORTS, FEWEST)


class Admission:
    """Takes the connections of one port, on its event loop.

    An address has at most half of the room. Where there is none for a newcomer, the oldest connection goes
    that has asked nothing so far, of the same address if it is that which has too many; if all have asked
    something, an address's newcomer is closed, and a full port takes nobody for a second.

    Parameters
    ----------
    most : int, optional
        Connections at a time; as many as there may be descriptors if None.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most = most or most_connections()
        self._per_address = max(most // 2, 1)
        # All, and those that have asked nothing: the oldest first, and weak, as a connection that has gone
        # takes all with it that it has led to.
        self._held: WeakKeyDictionary[IOStream, str] = WeakKeyDictionary()
        self._silent: WeakKeyDictionary[IOStream, str] = WeakKeyDictionary()
        self._told = -math.inf

    def guard(self, server: HTTPServer) -> None:
        """Take the connections of a server's sockets in its place, on the present event loop."""
        self._server = server
        self._loop = IOLoop.current()
        self._handle_stream = server.handle_stream
        server.handle_stream = self._take  # type: ignore[method-assign]
        for descriptor, listening in server._sockets.items():
            server._handlers[descriptor]()
            self._listen(listening)

    def asked(self, stream: IOStream) -> None:
        """Note that a connection has sent a request."""
        self._silent.pop(stream, None)

    def _listen(self, listening: socket.socket) -> None:
        self._loop.add_handler(listening, lambda *_: self._accept(listening), IOLoop.READ)
        self._server._handlers[listening.fileno()] = lambda: self._loop.remove_handler(listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            if not self._has_room():
                self._pause(listening, f"All {self._most} connections of a port are in use")
                return
            try:
                connection, address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in FULL:
                    raise
                # Others than we have taken descriptors, too: room for them is made as well.
                # At most half of those that are silent go: the newest have not had the time to ask.
                if sum(self._drop_silent() for _ in range(min(SPARE, len(self._silent) // 2 + 1))):
                    self._tell(f"Connections that asked nothing were closed ({error.strerror})")
                    continue
                self._pause(listening, f"A connection cannot be taken ({error.strerror})")
                return
            self._server._handle_connection(connection, address)

    def _take(self, stream: IOStream, address: Any) -> Any:
        """As `HTTPServer.handle_stream`."""
        who = one_address(str(address[0])) if address else ""
        if self._count(who) >= self._per_address and not self._drop_silent(who):
            stream.close()
            self._tell(f"{self._per_address} connections from {who} are open, and one more was closed")
            return None
        self._held[stream] = self._silent[stream] = who
        return self._handle_stream(stream, address)

    def _has_room(self) -> bool:
        if len(self._held) >= self._most:
            self._forget_closed()
        return len(self._held) < self._most or self._drop_silent()

    def _count(self, who: str) -> int:
        """Open connections of an address; looked up only where there may be too many."""
        if len(self._held) < self._per_address:
            return 0
        self._forget_closed()
        return sum(each == who for each in self._held.values())

    def _forget_closed(self) -> None:
        for streams in (self._held, self._silent):
            for stream in [each for each in streams if each.closed()]:
                del streams[stream]

    def _drop_silent(self, who: str | None = None) -> bool:
        """Close the oldest connection, of an address or of all, that has asked nothing; false if none."""
        for stream, address in list(self._silent.items()):
            if not stream.closed() and who in (None, address):
                stream.close()
                del self._silent[stream], self._held[stream]
                return True
        return False

    def _pause(self, listening: socket.socket, why: str) -> None:
        self._server._handlers[listening.fileno()]()
        timer = self._loop.call_later(PAUSE, self._listen, listening)
        self._server._handlers[listening.fileno()] = lambda: self._loop.remove_timeout(timer)
        self._tell(f"{why}: none is taken for {PAUSE:g} s")

    def _tell(self, what: str) -> None:
        now = clock.now()
        if now - self._told > QUIET:
            self._told = now
            log.warning("%s. Raise the limit of descriptors (ulimit -n) if they are all wanted.", what)
