"""All sessions of a server: made, found, limited, and cleaned up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

from engine.answers.inlet import MakeInlet
from engine.bins import clock
from engine.bins.source import Source
from engine.errors import DeckError, NotThere
from engine.sinks.base import MakeSink
from engine.sources.recordings.recording import Recording
from sessions.awaited import Awaited, StillWaits
from sessions.codes import checked_code, made_up
from sessions.entries import Entries
from sessions.floors import KeptFloors
from sessions.limits import Limits
from sessions.making import Maker, made_or_missed
from sessions.options import Options
from sessions.refusals import Conflict, Full, UnknownRecording
from sessions.session import Session
from sessions.sources import Sources

log = logging.getLogger(__name__)

READY_WITHIN = 10.0
DEFAULTS = Options()


class Store(Entries):
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
    floors : KeptFloors, optional
        Where the floors of recordings are found.
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
        floors: KeptFloors | None = None,
    ) -> None:
        self.sources = sources or Sources()
        self.recordings = recordings
        self.limits = Limits(max_sessions, max_per_address or max_sessions, max_clients)
        super().__init__(ttl)
        self.started = time.time()
        self.total_created = 0
        self._maker = Maker(make_sinks, make_inlet, keep, floors)
        self._floors = floors
        self._closed = False

    @property
    def has_lsl(self) -> bool:
        """Whether sessions may have LSL outlets."""
        return self._maker.has_lsl

    @property
    def recording(self) -> Recording:
        """The default one."""
        return next(iter(self.recordings.values()))

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

    def create(
        self,
        code: str | None = None,
        options: Options = DEFAULTS,
        asked: Collection[str] = (),
        address: str | None = None,
        wait: bool = True,
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
        wait : bool
            Whether one is to wait for what it plays; else it is refused.

        Raises
        ------
        StillWaits
            If it is to play what is not there yet: it is made, and plays, when that comes.
        BadCode, Conflict
            If the code is not one, or taken by a session with other options.
        UnknownRecording, UnknownTrial, UnknownTarget, EmptySelection, BadSetting, NotNow
            If an option cannot be met, or what is to be played is not there.
        Full, TooMany
            If every session is listened to at the limit, or this address has made as many as it may.
        """
        code = made_up(self._entries) if code is None else checked_code(code)
        evicted: list[Session | Awaited] = []
        options, recording = self._settled(options)
        make = partial(self.sources.make, options, recording)
        source: Source | NotThere | None = None
        if code not in self._entries:  # before the lock, as it may have to be looked for
            source = made_or_missed(make, wait)
        try:
            with self._lock:
                entry = self._entries.get(code)
                if entry is None:
                    source, own = None, source or made_or_missed(make, wait)
                    entry = self._add(code, own, options, address, evicted)
                else:
                    options.check_alike(entry.options, asked, code)
                    entry.touch()
        finally:
            if source is not None and not isinstance(source, NotThere):  # another has made it meanwhile
                source.close()
        self._end(evicted)
        if isinstance(entry, Awaited):
            raise StillWaits(entry)
        entry.wait_ready(READY_WITHIN)
        return entry

    @property
    def listened_to(self) -> bool:
        """Whether anybody would notice that all threads stop for some tenths of a second."""
        return any(each.listened_to for each in list(self.sessions.values()))

    def create_many(
        self, codes: Sequence[str], options: Options = DEFAULTS, address: str | None = None
    ) -> list[Session]:
        """Make a session of each code, all or none, at the cost of no other.

        Raises
        ------
        NotThere
            If what they are to play is missing: many do not wait for it.
        BadCode, Conflict
            If a code is none, or taken.
        UnknownRecording, UnknownTrial, UnknownTarget, EmptySelection, BadSetting, NotNow
            If an option cannot be met.
        Full, TooMany
            If they do not fit, or are more than one address may make.
        """
        options, recording = self._settled(options)
        made: list[Session] = []
        sources: list[Source] = []
        try:
            for _ in codes:  # before the lock, as they may have to be looked for
                sources.append(self.sources.make(options, recording))  # noqa: PERF401, as one may fail
            while sources:
                with self._lock:  # for each anew: event loops wait for it
                    rest = codes[len(made) :]
                    self._check_free(rest)
                    self.limits.check_room(self._entries.values(), len(rest), address)
                    session = self._add(checked_code(rest[0]), sources.pop(), options, address, [])
                assert isinstance(session, Session)  # as its source is there
                made.append(session)
        except DeckError:
            for source in sources:
                source.close()
            self._end(made)
            raise
        for session in made:
            session.wait_ready(READY_WITHIN)
        return made

    def _check_free(self, codes: Sequence[str]) -> None:
        taken = [code for code in codes if code in self._entries]
        if taken:
            more = f" and {len(taken) - 1} more are" if taken[1:] else " is"
            raise Conflict(f"Session {taken[0]}{more} there already. Choose another prefix.")

    def _settled(self, options: Options) -> tuple[Options, Recording]:
        """Options with the server's own where they name none, and the recording."""
        settled = replace(
            options,
            recording=options.recording or next(iter(self.recordings)),
            source=self.sources.spelled(options.source),
        )
        return settled, self.recording_named(options.recording)

    def close(self, goodbye_within: float = 0.0) -> None:
        """End every session and make no more; give clients so many seconds to answer the close."""
        with self._lock:
            self._closed = True
        sessions = list(self.sessions.values())
        self._end(self.entries.values(), 1001, "The server is going down.")
        self.sources.close()
        if self._floors is not None:
            self._floors.close()
        until = clock.now() + goodbye_within
        while any(a.size for s in sessions for a in s.audiences) and clock.now() < until:
            time.sleep(0.02)  # they are others' sockets: nothing here can be waited for

    def _add(
        self,
        code: str,
        source: Source | NotThere,
        options: Options,
        address: str | None,
        evicted: list[Session | Awaited],
    ) -> Session | Awaited:
        """Make a session, whose source ends if that fails; whoever has to go for it is `evicted`."""
        entry: Session | Awaited
        try:
            if self._closed:
                raise Full("The server is going down.")
            self.limits.check_share(self._entries.values(), address)
            evicted += self.limits.must_go(self._entries.values())
            if isinstance(source, NotThere):
                make = partial(self.sources.make, options, self.recording_named(options.recording))
                entry = Awaited(code, options, address, source, make, self._come)
                log.info("Session %s waits for %s", code, source.name)
            else:
                entry = self._make(code, source, options, address, evicted)
        except DeckError:
            if not isinstance(source, NotThere):
                source.close()
            raise
        for each in evicted:
            del self._entries[each.code]
        self._entries[code] = entry
        self.total_created += 1
        return entry

    def _come(self, awaited: Awaited, source: Source) -> None:
        """Make the session whose source has come, and let it play; in the thread that has found it."""
        with self._lock:
            if self._entries.get(awaited.code) is not awaited:  # it was deleted meanwhile
                source.close()
                return
            try:
                session = self._make(awaited.code, source, awaited.options, awaited.maker)
            except DeckError as error:
                source.close()
                awaited.fail(str(error))
                return
            self._entries[awaited.code] = session
        session.replay.start()

    def _make(
        self,
        code: str,
        source: Source,
        options: Options,
        address: str | None,
        evicted: Collection[Session | Awaited] = (),
    ) -> Session:
        staying = (each for each in self._entries.values() if each not in evicted)
        others = [each for each in staying if isinstance(each, Session)]
        session = self._maker.make(code, source, options, self.total_created, others)
        session.maker = address
        return session
