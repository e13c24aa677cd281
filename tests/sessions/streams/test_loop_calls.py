"""Calls into a loop: no ring is lost, whoever rings when, and a busy loop is not woken."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import Any

import pytest

from sessions.streams.loop_calls import LoopCalls


def test_every_ring_of_every_thread_is_answered_on_the_loop() -> None:
    answered: Counter[int] = Counter()
    threads_of_answers = set()

    async def scenario() -> None:
        done, calls = asyncio.Event(), LoopCalls(asyncio.get_running_loop())

        def answer(who: int) -> None:
            answered[who] += 1
            threads_of_answers.add(threading.current_thread())
            if answered.total() == 4 * 5000:
                done.set()

        def ring(who: int) -> None:
            for _ in range(5000):
                calls.ring(lambda: answer(who))

        ringers = [threading.Thread(target=ring, args=(who,)) for who in range(4)]
        for ringer in ringers:
            ringer.start()
        await asyncio.wait_for(done.wait(), 20)
        for ringer in ringers:
            ringer.join()

    asyncio.run(scenario())
    assert answered == dict.fromkeys(range(4), 5000)
    assert threads_of_answers == {threading.current_thread()}


def test_a_loop_at_work_is_woken_once() -> None:
    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        wakes, done = 0, asyncio.Event()
        wake = loop.call_soon_threadsafe

        def counted(*arguments: Any) -> asyncio.Handle:
            nonlocal wakes
            wakes += 1
            return wake(*arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        calls = LoopCalls(loop)

        def work() -> None:
            ringer = threading.Thread(target=lambda: [calls.ring(lambda: None) for _ in range(100)])
            ringer.start()
            ringer.join()  # so that all of it comes while the loop is at work
            calls.ring(done.set)

        calls.ring(work)
        await asyncio.wait_for(done.wait(), 20)
        return wakes

    assert asyncio.run(scenario()) == 1


def test_a_call_that_fails_keeps_no_other_from_its_turn() -> None:
    async def scenario() -> list[Any]:
        loop = asyncio.get_running_loop()
        told: list[Any] = []
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        done, calls = asyncio.Event(), LoopCalls(loop)

        def fail() -> None:
            raise ValueError("a fault")

        for call in (fail, done.set):
            calls.ring(call)
        await asyncio.wait_for(done.wait(), 20)
        return told

    with pytest.raises(ValueError, match="a fault"):
        raise asyncio.run(scenario())[0]
