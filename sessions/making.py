"""Makes a session of its source: the deck, the sinks, and what listens to decoders."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Mapping
from typing import Final

from engine.answers.inlet import MakeInlet
from engine.bins.source import Source, voltages_of
from engine.deck.replay import Replay
from engine.errors import NotThere
from engine.monitors.monitor import MonitorThread
from engine.sinks.base import MakeSink, Subject
from sessions.floors import KeptFloors
from sessions.options import Options
from sessions.session import Session

log = logging.getLogger(__name__)

LSL, RAW_LSL = "lsl", "lsl_raw"
"""Names of the sinks that LSL has; the second is for sessions with voltages."""
LSL_SESSIONS = 10
"""Sessions that get LSL outlets unasked: each outlet costs threads and descriptors."""
GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
"""Its multiples, modulo 1, are spread evenly (three-distance theorem): when sessions are due in a bin."""


class Maker:
    """Makes the sessions of a server.

    Parameters
    ----------
    make_sinks : mapping
        What makes the sinks of a session, by their names; those of LSL are for the first sessions, and for
        those that ask for it.
    make_inlet : function, optional
        None if LSL is off.
    keep : function, optional
        Keeps the scores of a session that ends or begins anew.
    floors : KeptFloors, optional
        Where the floors of recordings are found.
    """

    def __init__(
        self,
        make_sinks: Mapping[str, MakeSink] | None,
        make_inlet: MakeInlet | None,
        keep: Callable[[Session], object] | None = None,
        floors: KeptFloors | None = None,
    ) -> None:
        self._make_sinks = dict(make_sinks or {})
        self._make_inlet = make_inlet
        self._keep = keep
        self._floors = floors
        self._monitors = MonitorThread()

    @property
    def has_lsl(self) -> bool:
        """Whether sessions may have LSL outlets."""
        return LSL in self._make_sinks

    def make(
        self, code: str, source: Source, options: Options, number: int, others: Collection[Session]
    ) -> Session:
        """Make a session, the so-manieth of a server, beside others.

        Raises
        ------
        BadSetting, NotNow
            If an option cannot be met; the source is not closed then.
        """
        description = source.description
        rate = description.bin_rate * (1.0 if options.speed == "max" else options.speed)
        speaking = sum(session.lsl for session in others)
        lsl = speaking < LSL_SESSIONS if options.lsl is None else options.lsl
        voltages = voltages_of(source)
        left_out = set() if lsl else {LSL}
        if not lsl or voltages is None:
            left_out.add(RAW_LSL)
        sinks = {name: make for name, make in self._make_sinks.items() if name not in left_out}
        replay = Replay(
            source,
            seed=options.seed,
            speed=options.speed,
            perturbation=dict(options.perturbation),
            timetable=options.timetable,
            phase=number * GOLDEN % 1.0,
            name=f"replay {code}",
        )
        log.info("Session %s plays %s", code, description.name)
        subject = Subject(code, description, rate, voltages)
        return Session(
            code,
            replay,
            options,
            subject,
            sinks,
            self._make_inlet,
            self._monitors,
            self._keep,
            self._floors,
        )


def made_or_missed(make: Callable[[], Source], wait: bool) -> Source | NotThere:
    """A source, or what is missing, where it may be waited for."""
    try:
        return make()
    except NotThere as missing:
        if not wait:
            raise
        return missing
