"""What is done to all sessions of a wall at once, and what is told of it in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from dashboard.wall.choice import chosen
from engine.errors import DeckError
from sessions.rest.context import Context
from sessions.rest.records import archive_of
from sessions.session import Session

NAMED: Final = 4
"""Sessions that are named where the same has failed for more."""

Act = Callable[[Session], object]


@dataclass
class Report:
    """What came of it.

    Attributes
    ----------
    what : str
        Past participle.
    done : int
        For so many sessions.
    refused : dict
        Sessions' codes, by the reason.
    """

    what: str
    done: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        n = self.done + sum(len(codes) for codes in self.refused.values())
        if not n:
            return f"No session is here, so none was {self.what}."
        if not self.refused:
            return f"{n} of {n} {self.what}."
        not_ = "; ".join(f"{_named(codes)}: {reason}" for reason, codes in self.refused.items())
        return f"{self.done} of {n} {self.what}. Not {not_}"


class Everyone:
    """The sessions of a wall, to which something is done.

    Parameters
    ----------
    context : Context
    prefix : str
    """

    def __init__(self, context: Context, prefix: str) -> None:
        self._context = context
        self._prefix = prefix

    def pause(self) -> Report:
        return self._each("paused", lambda session: session.replay.pause())

    def resume(self) -> Report:
        return self._each("playing", lambda session: session.replay.resume())

    def perturb(self, preset: str) -> Report:
        """Set a preset of perturbations, "none" for none."""
        return self._each(
            f"set to {preset}", lambda session: session.replay.set_perturbation({"preset": preset})
        )

    def record(self) -> Report:
        return self._each("being recorded", lambda session: archive_of(self._context).start(session))

    def stop_records(self) -> Report:
        """A session that is not being recorded is left as it is."""
        return self._each("no longer recorded", _stop)

    def _each(self, what: str, act: Act) -> Report:
        report = Report(what)
        for code in chosen(self._context.store.entries, self._prefix):
            try:
                act(self._context.session(code))
                report.done += 1
            except DeckError as error:
                reason = str(error).replace(f"Session {code}", "It")  # the same for all
                report.refused.setdefault(reason, []).append(code)
        return report


def _stop(session: Session) -> None:
    if session.tape is not None:
        session.tape.stop()


def _named(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - NAMED} more" if len(codes) > NAMED else ""
    return ", ".join(codes[:NAMED]) + more
