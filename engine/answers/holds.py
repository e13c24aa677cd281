"""Who answers under which name: one at a time, so that two decoders never become one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from itertools import count

from engine.answers.prediction import MAX_NAME


def _always() -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Hold:
    """One decoder's hold on a name.

    Attributes
    ----------
    name : str
        Under which its answers count.
    asked : str or None
        What it calls itself; None if it has no name.
    there : function
        Whether it can still be heard; a hold of one that cannot is void.
    """

    name: str
    asked: str | None
    there: Callable[[], bool] = _always


class Holds:
    """The names of one session that are held. May be used from any thread.

    Parameters
    ----------
    known : container of str
        Names that have answered.
    """

    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self._held: dict[str, Hold] = {}
        self._made_up: set[str] = set()  # and never asked for; the lowest that is free is taken again
        self._told: set[str] = set()
        self._lock = threading.Lock()  # guards the three above

    def take(self, asked: str | None, there: Callable[[], bool] = _always, *, truth: bool = True) -> Hold:
        """Hold a name until `free`; `truth` is whether its holder may be told the truth.

        It is the one that is asked for, or if that is taken the same with ``-2`` or higher; one who asks
        for none gets ``decoder-1`` or higher.
        """
        with self._lock:
            if asked is None:
                name = next(n for n in _numbered("decoder", 1) if self._is_free(n) and self._is_ours(n))
                self._made_up.add(name)
            else:
                name = asked if self._is_free(asked) else next(filter(self._is_free, _numbered(asked, 2)))
                self._made_up.discard(name)
            hold = self._held[name] = Hold(name, asked, there)
            if truth:
                self._told.add(name)
            return hold

    def free(self, hold: Hold) -> None:
        """Let others have the name. A second call does nothing."""
        with self._lock:
            if self._held.get(hold.name) is hold:
                del self._held[hold.name]
                if hold.name not in self._known:
                    self._told.discard(hold.name)

    def tell(self, hold: Hold) -> None:
        """Note that a holder is told the truth."""
        with self._lock:
            if self._held.get(hold.name) is hold:
                self._told.add(hold.name)

    @property
    def told(self) -> frozenset[str]:
        """Names of which a holder may have been told true kinematics or intention."""
        with self._lock:
            return frozenset(self._told)

    def keeps_place(self, name: str) -> bool:
        """Whether a name counts among those of the session: all but made-up ones that nobody holds."""
        with self._lock:
            return name not in self._made_up or not self._is_free(name)

    def _is_free(self, name: str) -> bool:
        hold = self._held.get(name)
        return hold is None or not hold.there()

    def _is_ours(self, name: str) -> bool:
        return name in self._made_up or name not in self._known


def _numbered(name: str, first: int) -> Iterator[str]:
    for number in count(first):
        ending = f"-{number}"
        yield name[: MAX_NAME - len(ending)] + ending
