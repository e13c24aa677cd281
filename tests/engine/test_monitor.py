"""The thread that looks after a session."""

from __future__ import annotations

import threading

import pytest

from engine.monitor import Monitor
from tests.engine.listening import PATIENCE


def test_settled_monitor_has_seen_what_was_there_before() -> None:
    there, seen = [1], []
    monitor = Monitor("monitor", lambda: seen.append(list(there)))
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

    monitor = Monitor("monitor x", fail)
    go.set()
    assert not monitor.settle(PATIENCE)
    assert monitor.error == "ValueError: no such thing"
    assert "The monitor x has failed" in caplog.text
    monitor.close()
