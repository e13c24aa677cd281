"""Decoders of a session that answer when a test says so."""

from __future__ import annotations

from engine.bins import clock
from sessions.session import Session
from tests.engine.listening import PATIENCE, Keeper


def answer(session: Session, n: int, *names: str) -> None:
    """Have decoders answer the next `n` bins, the first exactly."""
    keeper = Keeper(session.replay)
    session.replay.resume()
    rows = keeper.wait_rows(n)[:n]
    session.replay.pause()
    for row in rows:
        for off, name in enumerate(names):
            values = tuple((row["kinematics"] + 10.0 * off).tolist())
            session.predictions.receive(name, int(row["sequence_number"]), values, clock.now())
    session.scores.settle(PATIENCE)
