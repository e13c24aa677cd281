"""Runs that people have kept under a name, and the best of those with the same task and steering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from engine.errors import NotNow
from engine.sources.user.user import PERSON
from sessions.archive import settings_of
from sessions.run_choice import Choice, Order
from sessions.runs import LEAST_BINS, Run, Runs
from sessions.session import Session

TAG: Final = "player:"
SHOWN: Final = 8
LOOKED_AT: Final = 2000
"""Of the best runs on a recording: those that were made otherwise are passed over."""


@dataclass(frozen=True)
class Played:
    """What a player has reached.

    Attributes
    ----------
    run : int
    player, decoder : str
    success : float
        Of finished trials.
    acquisition_time : float or None
        Seconds; None where no target was acquired.
    bit_rate : float
        Achieved, in bits per second.
    """

    run: int
    player: str
    decoder: str
    success: float
    acquisition_time: float | None
    bit_rate: float


def keep(runs: Runs, session: Session, player: str) -> int:
    """Keep what the driver has reached, with the player's name as a tag; returns the run.

    Raises
    ------
    NotNow
        If nobody drives, or no trial has ended.
    NoRecords
    """
    driver = session.scores.driver
    summary = session.scores.settle(2.0).decoders.get(driver or "")
    if driver is None or summary is None or not summary.total.n_trials or summary.total.n_bins < LEAST_BINS:
        raise NotNow("No trial has ended yet with these settings. Steer to a target first.")
    (run,) = runs.add(session, driver)
    runs.annotate(run, tags=(f"{TAG}{player}",))
    return run


def best(runs: Runs, session: Session) -> list[Played]:
    """The best runs of people with the recording, task and steering of a session, by bits per second."""
    wanted = _compared(settings_of(session))
    found = runs.kept(Choice(recording=session.description.name), Order("bit_rate_achieved"), LOOKED_AT)
    named = (played(run) for run in found if _compared(run.settings) == wanted)
    return [each for each in named if each is not None][:SHOWN]


def played(run: Run) -> Played | None:
    """A run as a player's; None if nobody has put a name to it."""
    names = [tag.removeprefix(TAG) for tag in run.tags if tag.startswith(TAG)]
    scores = run.scores
    if not names or scores.get("success") is None:
        return None
    rate = scores.get("bit_rate_achieved") or 0.0
    return Played(run.id, names[0], run.decoder, scores["success"], scores.get("acquisition_time"), rate)


def _compared(settings: Any) -> Any:
    """What two runs must share to be compared; None of those that no person has steered."""
    loop = settings.get("closed_loop") or {}
    if loop.get("preset") != PERSON:
        return None
    acting = {name: model for name, model in settings["perturbation"].items() if model["enabled"]}
    return loop["task"], loop["steering"], loop["user"], acting
