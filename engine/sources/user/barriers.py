"""Walls on the screen: where they stop a cursor, and how a user goes round them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.trials import Barrier
from engine.sources.user.workspace import Place

AXES: Final = (0, 1)
Floats = npt.NDArray[np.float64]


def stopped(place: Place, wanted: Place, barriers: Sequence[Barrier]) -> Place:
    """Where a cursor gets to that is at a place and wants to another: along the walls that it meets.

    One that stands within a wall, as it appeared around it, may leave it.
    """
    for _ in range(len(barriers) + 1):
        met = min((hit for barrier in barriers if (hit := _hit(place, wanted, barrier))), default=None)
        if met is None:
            return wanted
        share, axis, face = met
        at = [a + share * (b - a) for a, b in zip(place, wanted, strict=True)]
        on = list(wanted)
        at[axis] = on[axis] = face
        place, wanted = (at[0], at[1]), (on[0], on[1])
    return place


class Route:
    """The shortest way to a target, round walls.

    Parameters
    ----------
    target : tuple of float
        x, y in length units.
    barriers : sequence of Barrier
    clearance : float
        How far from a wall's corners it goes, in length units.
    """

    def __init__(self, target: Place, barriers: Sequence[Barrier] = (), clearance: float = 0.0) -> None:
        self.target = target
        self._walls = np.reshape(barriers, (-1, 4))
        self._places = np.array([target, *_corners(barriers, clearance)])
        self._left = self._distances() if barriers else np.zeros(1)

    def ahead(self, place: Place) -> tuple[Place, float]:
        """Where to go from a place in a straight line, and how far it is from there to the target.

        Returns
        -------
        place : tuple of float
            The target, or the next corner.
        distance : float
            Along the way, in length units; infinity if there is none.
        """
        if not len(self._walls):
            return self.target, math.dist(place, self.target)
        seen, away = self._seen(np.array(place))
        if seen[0]:
            return self.target, float(away[0])
        ways = np.where(seen, away + self._left, np.inf)
        next_one = int(ways.argmin())
        x, y = self._places[next_one].tolist()
        return (x, y), float(ways[next_one])

    def _distances(self) -> Floats:
        """From each place to the target, which is the first, by Dijkstra's algorithm."""
        left = np.full(len(self._places), np.inf)
        left[0] = 0.0
        open_ones = np.ones(len(left), np.bool_)
        while np.isfinite(nearest := np.where(open_ones, left, np.inf)).any():
            at = int(nearest.argmin())
            open_ones[at] = False
            seen, away = self._seen(self._places[at])
            left = np.where(seen, np.minimum(left, left[at] + away), left)
        return left

    def _seen(self, place: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
        """To which of the places the way is free, and how far they are, shape (n_places,) each."""
        ways = self._places - place
        low, high = (
            self._walls[:, :2] - self._walls[:, 2:] - place,
            self._walls[:, :2] + self._walls[:, 2:] - place,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = low / ways[:, None], high / ways[:, None]  # shape (n_places, n_walls, 2)
        still = np.broadcast_to(ways[:, None] == 0, one.shape)
        beside = still & ~((low < 0) & (high > 0))
        enters = np.where(still, -np.inf, np.minimum(one, other)).max(axis=2)
        leaves = np.where(still, np.inf, np.maximum(one, other)).min(axis=2)
        hit = (enters >= 0) & (enters < np.minimum(leaves, 1.0)) & (leaves > 0) & ~beside.any(axis=2)
        return ~hit.any(axis=1), np.hypot(*ways.T)


def _corners(barriers: Sequence[Barrier], clearance: float) -> list[Place]:
    """Around the walls; none that lies within another."""
    corners = [
        (wall.x + right * (wall.half_width + clearance), wall.y + up * (wall.half_height + clearance))
        for wall in barriers
        for right, up in product((-1, 1), repeat=2)
    ]
    return [at for at in corners if not any(_within(at, wall) for wall in barriers)]


def _within(place: Place, wall: Barrier) -> bool:
    return abs(place[0] - wall.x) < wall.half_width and abs(place[1] - wall.y) < wall.half_height


def _hit(place: Place, other: Place, wall: Barrier) -> tuple[float, int, float] | None:
    """Where the way between two places enters a wall: share of the way, axis, and where on it.

    By the slab method of Kay and Kajiya 1986 (doi 10.1145/15886.15916), which `Route` has for many at once.
    A way along a face does not enter.
    """
    enters, leaves, entered = -math.inf, math.inf, (0, 0.0)
    for axis in AXES:
        at, way = place[axis], other[axis] - place[axis]
        low, high = wall[axis] - wall[axis + 2], wall[axis] + wall[axis + 2]
        if not way:
            if not low < at < high:
                return None
            continue
        near, far = (low, high) if way > 0 else (high, low)
        if (share := (near - at) / way) > enters:
            enters, entered = share, (axis, near)
        leaves = min(leaves, (far - at) / way)
    if 0.0 <= enters < min(leaves, 1.0) and leaves > 0.0:
        return enters, *entered
    return None
