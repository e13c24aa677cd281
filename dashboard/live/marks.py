"""What is marked on the tape: where steps of the timetable come, the ends of what is played, bookmarks."""

from __future__ import annotations

import math

from dashboard.live.reel import reel
from dashboard.live.schedule import spell_step
from engine.deck.replay import Replay
from sessions.session import Session

Mark = list[int | str]
"""A bin, a text, and the role of its colour."""
STEP, END, BOOKMARK = "decoder-1", "good", "accent"


def marks(session: Session) -> list[Mark]:
    """Those of a session that plays a recording; none of others."""
    if "select" not in session.replay.source.can:
        return []
    selection = session.replay.selection
    ends = [(selection.first_packet, "A"), (selection.last_packet, "B")]
    found = _steps(session)
    found += [[bin_, name, END] for bin_, name in ends if bin_ is not None]
    found += [[bin_, "\N{BLACK STAR}", BOOKMARK] for bin_ in session.view.bookmarks]
    return found


def _steps(session: Session) -> list[Mark]:
    """Steps count bins of the session: where they come follows from where it stands, and was, if nobody has
    sought since."""
    replay: Replay = session.replay
    if not replay.timetable:
        return []
    bins = reel(replay.selection, session.recording)
    rate = session.description.bin_rate
    begin = replay.position().current_index - replay.n_played
    found: list[Mark] = []
    for step in replay.timetable:
        bin_ = bins.ahead(begin + math.floor(step.at * rate + 0.5), replay.loop)
        if bin_ is not None:
            found.append([bin_, spell_step(step.perturbation)[0], STEP])
    return found
