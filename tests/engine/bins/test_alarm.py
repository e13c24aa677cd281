"""A thread sleeps until a time or a ring, and hears a ring that came before."""

from __future__ import annotations

import math
import threading

from engine.bins import clock
from engine.bins.alarm import Alarm

PATIENCE = 30.0


def test_a_wait_ends_at_its_time() -> None:
    until = clock.now() + 0.01
    Alarm().wait(until)
    assert until <= clock.now() < until + PATIENCE


def test_rings_before_a_wait_end_that_one_and_no_other() -> None:
    alarm = Alarm()
    alarm.ring()
    alarm.ring()
    alarm.wait(math.inf)
    until = clock.now() + 0.01
    alarm.wait(until)
    assert clock.now() >= until


def test_a_ring_ends_the_wait_of_another_thread() -> None:
    alarm = Alarm()
    waiting = threading.Thread(target=alarm.wait, args=(math.inf,), daemon=True)
    waiting.start()
    alarm.ring()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
