"""The thread that looks after a session."""

from __future__ import annotations

import threading

import pytest

from engine.monitors.monitor import Monitor, MonitorThread
from tests.engine.listening import PATIENCE


def test_settled_monitor_has_seen_what_was_there_before() -> None:
    there, seen = [1], []
    monitor = Monitor(MonitorThread(), "monitor", lambda: seen.append(list(there)))
    there.append(2)
    assert monitor.settle(PATIENCE)
    assert seen[-1] == [1, 2]
    monitor.close()
    monitor.close()
    assert not monitor.settle(PATIENCE)


def test_failure_ends_it_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()

    def fail() -> None:
        go.wait(PATIENCE)
        raise ValueError("no such thing")

    monitor = Monitor(MonitorThread(), "monitor x", fail)
    go.set()
    assert not monitor.settle(PATIENCE)
    assert monitor.error == "ValueError: no such thing"
    assert "The monitor x has failed" in caplog.text
    monitor.close()


def test_all_share_one_thread_which_ends_with_the_last() -> None:
    looking = [threading.Event(), threading.Event()]
    shared = MonitorThread()
    first, second = (Monitor(shared, f"monitor {i}", looked.set) for i, looked in enumerate(looking))
    assert first.settle(PATIENCE)
    assert second.settle(PATIENCE)
    (thread,) = (each for each in threading.enumerate() if each.name == "monitors")
    first.close()
    looking[1].clear()
    assert looking[1].wait(PATIENCE)
    second.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_failure_of_one_disturbs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    shared = MonitorThread()
    failing, sound = Monitor(shared, "monitor x", fail), Monitor(shared, "monitor y")
    assert sound.settle(PATIENCE)
    assert failing.error == "ValueError: no such thing"
    assert caplog.text.count("has failed") == 1
    for monitor in (failing, sound):
        monitor.close()
