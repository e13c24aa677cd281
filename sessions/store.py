"""All sessions of a server: made, found, limited, and cleaned up."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from engine.answers.inlet import MakeInlet
from engine.bins import clock
from engine.bins.source import Source
from engine.deck.replay import Replay
from engine.errors import DeckError
from engine.monitors.monitor import MonitorThread
from engine.sinks.base import MakeSink, Subject
from engine.sources.recordings.recording import Recording
from sessions.codes import checked_code, made_up
from sessions.errors import Conflict, Full, TooMany, UnknownRecording, UnknownSession
from sessions.options import Options
from sessions.session import Session
from sessions.sources import Sources

log = logging.getLogger(__name__)

LSL_SESSIONS = 10
"""Sessions that get LSL outlets unasked: each outlet costs threads and descriptors."""
READY_WITHIN = 10.0
DEFAULTS = Options()
GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
"""Its multiples, modulo 1, are spread evenly (three-distance theorem): when sessions are due in a bin."""


class Store:
    """Sessions by code. Its methods may be called from any thread; making and deleting may block.

    Parameters
    ----------
    recordings : mapping
        By name; the first is the default.
    max_sessions : int
    max_per_address : int, optional
        Sessions that one address may have made; `max_sessions` if None.
    max_clients : int
        Decoders that a session may have, and pages that may watch it.
    ttl : float
        Seconds without use or listener after which a session goes.
    make_sinks : mapping
        What makes the sinks of a session, by their names; "lsl" is for the first sessions, and those that
        ask for it.
    make_inlet : function, optional
        None if LSL is off.
    sources : Sources, optional
        What sessions can play; recordings alone if None.
    keep : function, optional
        Keeps the scores of a session that ends or begins anew.
    """

    def __init__(
        self,
        recordings: Mapping[str, Recording],
        *,
        max_sessions: int = 50,
        max_per_address: int | None = None,
        max_clients: int = 1000,
        ttl: float = 3600.0,
        make_sinks: Mapping[str, MakeSink] | None = None,
        make_inlet: MakeInlet | None = None,
        sources: Sources | None = None,
        keep: Callable[[Session], object] | None = None,
    ) -> None:
        self.sources = sources or Sources()
        self.recordings = recordings
        self.max_sessions = max_sessions
        self.max_per_address = max_per_address or max_sessions
        self.max_clients = max_clients
        self.ttl = ttl
        self.started = time.time()
        self.total_created = 0
        self._make_sinks = dict(make_sinks or {})
        self._make_inlet = make_inlet
        self._keep = keep
        self._monitors = MonitorThread()
        self._sessions: dict[str, Session] = {}
        self._closed = False
        self._lock = threading.Lock()  # guards the three above

    @property
    def has_lsl(self) -> bool:
        """Whether sessions may have LSL outlets."""
        return "lsl" in self._make_sinks

    @property
    def recording(self) -> Recording:
        """The default one."""
        return next(iter(self.recordings.values()))

    @property
    def sessions(self) -> dict[str, Session]:
        """A copy, in the order in which they were made."""
        with self._lock:
            return dict(self._sessions)

    def recording_named(self, name: str | None) -> Recording:
        """A recording by name, the default one for None.

        Raises
        ------
        UnknownRecording
        """
        if name is None:
            return self.recording
        if name not in self.recordings:
            raise UnknownRecording(f"Unknown recording {name!r}. There are {', '.join(self.recordings)}.")
        return self.recordings[name]

    def get(self, code: str) -> Session:
        """A session by code.

        Raises
        ------
        UnknownSession
        """
        session = self._sessions.get(code)
        if session is None:
            raise UnknownSession(f"Unknown session {code!r}. Create it, or list those that exist.")
        return session

    def create(
        self,
        code: str | None = None,
        options: Options = DEFAULTS,
        asked: Collection[str] = (),
        address: str | None = None,
    ) -> Session:
        """Make a session, or find the one that has this code.

        Parameters
        ----------
        code : str, optional
            A readable one is made up if None.
        options : Options, optional
        asked : collection of str, optional
            The fields of `options` that matter if the session exists.
        address : str, optional
            The IP address from which it is asked for.

        Raises
        ------
        BadCode, Conflict
            If the code is not one, or taken by a session with other options.
        UnknownRecording, UnknownTrial, UnknownTarget, EmptySelection, BadSetting, NotNow
            If an option cannot be met, or what is to be played is not there.
        Full, TooMany
            If every session is listened to at the limit, or this address has made as many as it may.
        """
        code = made_up(self._sessions) if code is None else checked_code(code)
        evicted: list[Session] = []
        recording = self.recording_named(options.recording)
        options = replace(
            options,
            recording=options.recording or next(iter(self.recordings)),
            source=self.sources.spelled(options.source),
        )
        # Before the lock, as it may have to be looked for.
        source = None if code in self._sessions else self.sources.make(options, recording)
        try:
            with self._lock:
                session = self._sessions.get(code)
                if session is None:
                    source, own = None, source or self.sources.make(options, recording)
                    session = self._add(code, own, options, address, evicted)
                else:
                    self._check_alike(session, options, asked)
                    session.touch()
        finally:
            if source is not None:  # another has made the session meanwhile
                source.close()
        self._end(evicted)
        session.wait_ready(READY_WITHIN)
        return session

    def touch(self, code: str) -> None:
        """Note that a session was used, if there is one of this code."""
        session = self._sessions.get(code)
        if session is not None:
            session.touch()

    def delete(self, code: str, force: bool = True) -> None:
        """End a session and its connections.

        Raises
        ------
        UnknownSession
        Conflict
            If decoders are connected and `force` is not given.
        """
        session = self.get(code)
        if session.decoders and not force:
            raise Conflict(
                f"Session {code} has {session.decoders} decoder(s) connected. "
                "Disconnect them, or delete with ?force=true."
            )
        self._end([session])

    def cleanup(self) -> int:
        """End the sessions whose time to live is over; return how many.

        To be called every few seconds: pages and LSL consumers leave unnoticed; the last look counts.
        """
        for session in self.sessions.values():
            if session.listened_to:
                session.touch()
        return self._end(s for s in self.sessions.values() if s.idle > self.ttl)

    def close(self, goodbye_within: float = 0.0) -> None:
        """End every session and make no more; give clients so many seconds to answer the close."""
        with self._lock:
            self._closed = True
        sessions = list(self.sessions.values())
        self._end(sessions, 1001, "The server is going down.")
        self.sources.close()
        until = clock.now() + goodbye_within
        while any(a.size for s in sessions for a in s.audiences) and clock.now() < until:
            time.sleep(0.02)  # they are others' sockets: nothing here can be waited for

    def _check_alike(self, session: Session, options: Options, asked: Collection[str]) -> None:
        other = [name for name in asked if getattr(options, name) != getattr(session.options, name)]
        if other:
            was = f"Session {session.code} was made with another {' and '.join(other)}."
            raise Conflict(f"{was} Choose another code, or delete it first.")

    def _add(
        self, code: str, source: Source, options: Options, address: str | None, evicted: list[Session]
    ) -> Session:
        """Make a session, whose source ends if that fails; whoever has to go for it is `evicted`."""
        try:
            if self._closed:
                raise Full("The server is going down.")
            self._check_share(address)
            evicted += self._must_go()
            session = self._make(code, source, options, evicted)
        except DeckError:
            source.close()
            raise
        session.maker = address
        for each in evicted:
            del self._sessions[each.code]
        self._sessions[code] = session
        self.total_created += 1
        return session

    def _make(self, code: str, source: Source, options: Options, evicted: Collection[Session]) -> Session:
        description = source.description
        rate = description.bin_rate * (1.0 if options.speed == "max" else options.speed)
        speaking = sum(session.lsl for session in self._sessions.values() if session not in evicted)
        lsl = speaking < LSL_SESSIONS if options.lsl is None else options.lsl
        sinks = {name: make for name, make in self._make_sinks.items() if lsl or name != "lsl"}
        replay = Replay(
            source,
            seed=options.seed,
            speed=options.speed,
            perturbation=dict(options.perturbation),
            timetable=options.timetable,
            phase=self.total_created * GOLDEN % 1.0,
            name=f"replay {code}",
        )
        log.info("Session %s plays %s", code, description.name)
        subject = Subject(code, description, rate)
        return Session(code, replay, options, subject, sinks, self._make_inlet, self._monitors, self._keep)

    def _check_share(self, address: str | None) -> None:
        made = sum(session.maker == address for session in self._sessions.values())
        if address is not None and self.max_per_address <= made < self.max_sessions:
            raise TooMany(
                f"{address} has made {made} sessions, which is the limit for one address. "
                "Delete one, or raise --sessions-per-address."
            )

    def _must_go(self) -> list[Session]:
        """The sessions whose place a new one takes."""
        if len(self._sessions) < self.max_sessions:
            return []
        idle = [s for s in self._sessions.values() if not s.listened_to]
        if not idle:
            raise Full(
                f"There are {len(self._sessions)} sessions, which is the limit, and all have listeners. "
                "Delete one, or raise --max-sessions."
            )
        return [max(idle, key=lambda session: session.idle)]

    def _end(
        self, sessions: Iterable[Session], code: int = 1000, reason: str = "The session was deleted."
    ) -> int:
        ended = list(sessions)
        for session in ended:
            with self._lock:
                self._sessions.pop(session.code, None)
            session.close(code, reason)
            log.info("Session %s has ended after %.0f s", session.code, session.age)
        return len(ended)
