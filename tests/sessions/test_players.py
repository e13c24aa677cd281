"""Runs under a name: those with the same task and steering are compared, the best first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import NotNow
from sessions.options import Options
from sessions.players import best, keep
from sessions.runs import Runs
from sessions.session import Session
from sessions.store import Store
from tests.engine.listening import wait_until
from tests.sessions.test_closed_loop import deck


@pytest.fixture
def store() -> Iterator[Store]:
    made = deck()
    yield made
    made.close()


class Player:
    """A hand that points at the target, and a decoder that answers what was intended; in every n-th trial
    it points nowhere."""

    def __init__(self, session: Session, fails: int = 0) -> None:
        self._session, self._fails = session, fails
        self._hand = session.replay.source.hand
        self._hand.take(self)
        self._cursor = session.ring.head
        session.replay.add_listener(self)

    def wake(self) -> None:
        rows, _ = self._session.ring.since(self._cursor)
        self._cursor += len(rows)
        for row in rows:
            target = tuple(row["intention"][1:3].tolist())
            lazy = self._fails and row["trial"] % self._fails == 0
            self._hand.point(self, None if lazy else target)
            values = (math.nan, math.nan, *row["intended"].tolist())
            self._session.predictions.receive(
                "mine", int(row["sequence_number"]), values, float(row["due"])
            )

    def floor(self) -> int:
        return self._cursor


def play(session: Session, n_trials: int) -> None:
    def judged() -> bool:
        scores = session.scores.latest().decoders
        return "mine" in scores and scores["mine"].total.n_trials >= n_trials

    wait_until(judged)


def test_the_best_are_of_those_with_the_same_task_and_steering(store: Store, tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs.sqlite")
    task = {"task": {"hold": 0.1, "time_limit": 3.0}}
    made = Options(source="user:person", speed=10.0, closed_loop=task)
    one, lazy = (store.create(code, made) for code in ("one", "lazy"))
    for session, fails in ((one, 0), (lazy, 2)):
        with pytest.raises(NotNow, match="Steer to a target first"):
            keep(runs, session, "Ada")
        Player(session, fails)
        session.replay.resume()
        play(session, 4)
    keep(runs, lazy, "Bob")
    keep(runs, one, "Ada")
    found = best(runs, one)
    assert [each.player for each in found] == ["Ada", "Bob"]
    assert found[0].decoder == "mine"
    assert found[0].success > found[1].success  # a busy machine is late for a target now and then
    assert found[0].bit_rate > found[1].bit_rate
    assert found[1].success < 0.7
    one.steer({"gain": 0.6})
    assert best(runs, one) == []
    one.steer({"gain": 0.3})
    assert [each.player for each in best(runs, one)] == ["Ada", "Bob"]
