"""Walls on the screen: where they stop a cursor, and how a user goes round them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from itertools import product
from typing import Final

from engine.bins.trials import Barrier
from engine.sources.user.workspace import Place

AXES: Final = (0, 1)


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
        self._barriers = barriers
        self._left = self._distances([target, *_corners(barriers, clearance)])

    def ahead(self, place: Place) -> tuple[Place, float]:
        """Where to go from a place in a straight line, and how far it is from there to the target.

        Returns
        -------
        place : tuple of float
            The target, or the next corner.
        distance : float
            Along the way, in length units; infinity if there is none.
        """
        if self._free(place, self.target):
            return self.target, math.dist(place, self.target)
        ways = (
            (math.dist(place, at) + left, at) for at, left in self._left.items() if self._free(place, at)
        )
        distance, at = min(ways, default=(math.inf, self.target))
        return at, distance

    def _distances(self, places: Sequence[Place]) -> dict[Place, float]:
        """From each place to the target, which is the first, by Dijkstra's algorithm."""
        left: dict[Place, float] = {}
        open_ways = [(0.0, places[0])]
        while open_ways:
            distance, place = heapq.heappop(open_ways)
            if place in left:
                continue
            left[place] = distance
            for other in places:
                if other not in left and self._free(place, other):
                    heapq.heappush(open_ways, (distance + math.dist(place, other), other))
        return left

    def _free(self, place: Place, other: Place) -> bool:
        return not any(_hit(place, other, barrier) for barrier in self._barriers)


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

    By the slab method of Kay and Kajiya 1986 (doi 10.1145/15886.15916). A way along a face does not enter.
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
