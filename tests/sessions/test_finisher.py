"""A server that goes down while a record is finished leaves its journal alone, and says so."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from engine.sinks.record.journal import unfinished
from sessions.finisher import Finisher
from sessions.refusals import RecordFailed
from tests.benchmarks.dashboard import wait_until
from tests.engine.sinks.record.test_long import journal

PATIENCE = 30.0


def test_process_that_is_killed_leaves_the_journal_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    path = tmp_path / "long.journal"
    journal(path, 100_000)
    finisher = Finisher()
    future = finisher.finish(path)
    wait_until(unfinished(path.with_suffix(".nwb")).exists, PATIENCE)
    finisher.close()

    with pytest.raises(RecordFailed, match="The next start finishes this record"):
        future.result(PATIENCE)
    assert os.listdir(tmp_path) == ["long.journal"]
    (told,) = caplog.messages
    assert told == f"The record long is not finished yet: the next start does it, or serve.py finish {path}"


def test_one_that_waits_is_told_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    paths = [tmp_path / f"{name}.journal" for name in "ab"]
    for path in paths:
        journal(path, 2_000)
    finisher = Finisher()
    futures = [finisher.finish(path) for path in paths]
    finisher.close()

    assert all(future.done() for future in futures)
    assert sorted(os.listdir(tmp_path)) == ["a.journal", "b.journal"]
    assert [message.split()[2] for message in caplog.messages] == ["a", "b"]
