"""A session is freed as soon as it has ended, whatever listened to it: nothing waits for the collector."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest

from engine.answers.lsl import LslInlet
from engine.sinks.lsl import LslNames, LslSink
from sessions.archive import Archive
from sessions.options import Options
from sessions.store import Store
from tests.benchmarks.dashboard import wait_until
from tests.builders import small_recording
from tests.sessions.streaming import PATIENCE, streaming


def traces(store: Store) -> dict[str, weakref.ref[Any]]:
    session = store.get("deck")
    return {"session": weakref.ref(session), "ring": weakref.ref(session.ring)}


@pytest.mark.usefixtures("no_collector")
def test_session_with_decoder_lsl_and_record_is_freed_at_once(tmp_path: Path) -> None:
    store = Store(
        {"small": small_recording()},
        make_sinks={"lsl": lambda subject: LslSink(subject, LslNames())},
        make_inlet=LslInlet,
    )
    archive = Archive(tmp_path)
    with streaming(store) as served:
        store.create("deck", Options(lsl=True))
        archive.start(store.get("deck"))
        store.get("deck").inlets.add("nobody", "from-lsl")
        decoder = served.decoder("/stream/deck?decoder=mine")
        for packet in decoder.data(5):
            answer = {
                "type": "prediction",
                "sequence_number": packet["sequence_number"],
                "x": 1.0,
                "y": 2.0,
            }
            decoder.socket.send(json.dumps(answer))
        wait_until(lambda: "mine" in store.get("deck").predictions.names, PATIENCE)
        found = traces(store)
        store.delete("deck")
        decoder.close()
        wait_until(lambda: not any(trace() for trace in found.values()), PATIENCE)
        assert [name for name, trace in found.items() if trace() is not None] == []
    archive.close(PATIENCE)
