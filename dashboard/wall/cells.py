"""What the wall shows of a session: the arena of its last moments, its best decoder, trial and state.

A cell is told as the page puts it there (`resources/wall.js`): texts, attributes of what is drawn, and
data of the cell itself. Places are in thousandths of the arena's longer side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import numpy as np

from dashboard.frames import spell_time
from dashboard.scores import UNKNOWN, spell
from engine.bins.description import Description
from engine.bins.schema import Rows
from plotters.arena import corners
from plotters.base import Floats
from plotters.marks import marked
from sessions.awaited import Awaited
from sessions.session import Session

TRAIL: Final = 0.8
"""Seconds of recording."""
MOST: Final = 64
"""Bins that are looked at, however many there are in that time."""
POINTS: Final = 8
"""Of a trail at most."""
JUMP: Final = 40
"""Bins between two of a trail: those before lie elsewhere in the recording."""
SIDE: Final = 1000

NOWHERE: Final = np.empty((0, 2), np.float32)

Point = tuple[int, int]
Cell = dict[str, Any]
"""``texts``, ``drawn`` and ``data``."""


class Plan:
    """Where places of a recording are in the square of a cell."""

    def __init__(self, low: Floats, high: Floats) -> None:
        self._size = SIDE / max(float((high - low).max()), 1e-9)
        self._scale = np.array((self._size, -self._size), np.float32)
        self._middle = (low + high) / 2

    def points(self, *places: Floats) -> Iterator[list[Point]]:
        """Those that there are, of each of several paths of shape (n, 2), all in one calculation."""
        together = SIDE / 2 + (np.concatenate(places) - self._middle) * self._scale
        there = np.isfinite(together[:, 0] + together[:, 1]).tolist()
        whole = np.nan_to_num(together).clip(0, SIDE).astype(np.int32).tolist()
        at = zip(there, whole, strict=True)
        for each in places:
            yield [(x, y) for here, (x, y) in islice(at, len(each)) if here]

    def length(self, length: float) -> int:
        return round(length * self._size)


@lru_cache(maxsize=16)
def plan(description: Description) -> Plan:
    """That of a recording: it takes a while to find."""
    low, high = corners(description)
    return Plan(low, high)


def cell(session: Session | Awaited) -> Cell:
    """A session as it is now, or one that waits."""
    if isinstance(session, Awaited):
        return _told("waiting", "", UNKNOWN, "")
    rows = recent(session)
    description, scores = session.description, session.scores.latest().decoders
    best = next(iter(scores), "")
    r2 = scores[best].window.r2_position if best else math.nan
    decoded = session.predictions.decoded(rows) if best else {}
    marks = marked(session.predictions.names, decoded) if best else ()
    trial = int(rows["trial"][-1]) if len(rows) else -1
    return _told(
        session.replay.state,
        f"trial {description.trial_ids[trial]}" if trial >= 0 else _position(session),
        spell(r2, 2),
        best,
        drawn(session, rows, decoded.get(best), trial),
        mark=str(marks.index(best) + 1) if best in marks else "",
        recorded="1" if session.tape is not None and session.tape.recording else "",
    )


def recent(session: Session) -> Rows:
    """The newest bins, from the last jump on."""
    ring = session.ring
    n = min(round(TRAIL * ring.bin_rate), MOST)
    rows, _ = ring.since(max(ring.head - n, 0), n)
    ids = rows["packet_id"]
    if not len(rows) or abs(int(ids[-1]) - int(ids[0])) < n + JUMP:
        return rows
    jumps = np.flatnonzero(np.abs(np.diff(ids)) > JUMP)
    return rows[jumps[-1] + 1 :] if len(jumps) else rows


def drawn(session: Session, rows: Rows, decoded: Floats | None, trial: int) -> dict[str, dict[str, Any]]:
    """Attributes by the class of what has them."""
    described = session.description
    where = plan(described)
    aims = described.trials[trial] if trial >= 0 else None
    true, made, goal = where.points(
        _thinned(rows["kinematics"][:, :2]),
        NOWHERE if decoded is None else _thinned(decoded),
        np.array([(aims.target_x, aims.target_y)], np.float32) if aims else NOWHERE,
    )
    return {
        "goal": _circle(goal, where.length(session.view.hit_radius)),
        "path": {"points": _path(true)},
        "made": {"points": _path(made)},
        "at": _circle(true, 26),
        "answered": _circle(made, 26),
    }


def total(cells: Iterable[Cell]) -> Cell:
    """The line above them all."""
    found = list(cells)
    playing = sum(each["data"]["state"] == "playing" for each in found)
    r2 = [float(each["texts"]["r2"]) for each in found if each["texts"]["r2"] != UNKNOWN]
    said = [f"{len(found)} session{'' if len(found) == 1 else 's'}", f"{playing} playing"]
    if r2:
        said.append(f"{len(r2)} scored, median R\N{SUPERSCRIPT TWO} {np.median(r2):.2f}")
    return {"texts": {"total": ", ".join(said)}, "drawn": {}, "data": {}}


def _told(
    state: str,
    trial: str,
    r2: str,
    who: str,
    drawn: dict[str, dict[str, Any]] | None = None,
    **data: str,
) -> Cell:
    texts = {"state": state, "trial": trial, "r2": r2, "who": who or "no decoder"}
    return {"texts": texts, "drawn": drawn or {}, "data": {"state": state, **data}}


def _position(session: Session) -> str:
    return spell_time(session.replay.position().packet_id / session.description.bin_rate)


def _thinned(path: Floats) -> Floats:
    """Some of its places, its last among them."""
    step = -(-len(path) // POINTS) or 1
    return path[::-1][::step][::-1]


def _path(points: list[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _circle(points: list[Point], radius: int) -> dict[str, int]:
    """At the last of the points; of no size where there is none."""
    x, y = points[-1] if points else (0, 0)
    return {"cx": x, "cy": y, "r": radius if points else 0}
