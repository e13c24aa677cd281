"""Pages are told of what has been changed, by whomever, and of nothing else."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable

import pytest

from sessions.session import Session
from sessions.store import Store
from sessions.watching import Watchers, watchers
from tests.builders import small_recording

CHANGES: dict[str, Callable[[Session], object]] = {
    "speed": lambda session: session.replay.set_speed(2.0),
    "pause": lambda session: session.replay.pause(),
    "perturbation": lambda session: session.replay.set_perturbation({"preset": "light"}),
    "view": lambda session: session.change_view({"order": "rate"}),
    "limits": lambda session: session.safety.change({"watchdog": 2.0}),
    "stop": lambda session: session.safety.stop(),
}


def store() -> Store:
    return Store({"small": small_recording(n_bins=4000)})


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_in_another_thread_is_told_on_the_loop(change: Callable[[Session], object]) -> None:
    made = store()
    session = made.create("one")
    session.replay.resume()

    async def scenario() -> None:
        told = asyncio.Event()
        watching = watchers(session, asyncio.get_running_loop())
        watching.add(told.set)
        await asyncio.to_thread(change, session)
        await asyncio.wait_for(told.wait(), 20)
        watching.remove(told.set)

    asyncio.run(scenario())
    made.close()


def test_bins_alone_tell_nothing_and_who_has_left_hears_nothing() -> None:
    made = store()
    session = made.create("one")
    session.replay.set_speed(20.0)
    session.replay.resume()

    async def scenario() -> None:
        heard: list[str] = []
        first, last = asyncio.Event(), asyncio.Event()
        watching = watchers(session, asyncio.get_running_loop())

        def leave() -> None:
            heard.append("gone")

        watching.add(first.set)
        watching.add(leave)
        watching.remove(leave)
        head = session.ring.head
        while session.ring.head < head + 50:
            await asyncio.sleep(0.01)
        assert not first.is_set()
        watching.add(last.set)
        session.replay.set_loop(False)
        await asyncio.wait_for(last.wait(), 20)
        assert heard == []
        watching.remove(first.set)
        watching.remove(last.set)

    asyncio.run(scenario())
    made.close()


def test_watchers_hold_no_session() -> None:
    made = store()
    gone = weakref.ref(made.create("one"))

    async def scenario() -> None:
        session = gone()
        assert session is not None
        watching: Watchers = watchers(session, asyncio.get_running_loop())
        watching.add(lambda: None)
        del session
        made.delete("one")
        gc.collect()
        assert gone() is None

    asyncio.run(scenario())
    made.close()
