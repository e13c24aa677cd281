"""Declares one more field of a bin, and prints what became of it on its ways out of a session."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from engine.bins import schema

NEW = schema.Field("voltage", "f", "in V", 2, ("volts", "#channel"), wire="electrode", letter="e")
schema.BIN = (*schema.BIN[:3], NEW, *schema.BIN[3:])  # type: ignore[misc]  # the one edit

import msgpack  # noqa: E402
from pynwb import NWBHDF5IO  # noqa: E402

from engine.sinks.record.export import write_csv  # noqa: E402
from engine.sinks.record.nwb import to_nwb  # noqa: E402
from engine.sinks.record.reading import read_record  # noqa: E402
from engine.sinks.redis import LETTERS  # noqa: E402
from sessions.streams.packets import Encoder  # noqa: E402
from tests.builders import play, small_recording  # noqa: E402
from tests.engine.sinks.record.test_nwb import record_of  # noqa: E402
from tests.sessions.frames import parse  # noqa: E402

recording = small_recording()
rows = play(recording, range(10))
rows["voltage"] = 1.5, 3.0
raw = rows[:1].tobytes()
[[_, text]], _ = parse(Encoder(recording, "json", "enveloped").encode(raw)[0].message(0))
print("json", json.loads(text)["data"]["electrode"])
[[_, packed]], _ = parse(Encoder(recording, "msgpack", "full").encode(raw)[0].message(0))
print("msgpack", msgpack.unpackb(packed)["electrode"])

path = Path(sys.argv[1]) / "new.nwb"
with NWBHDF5IO(path, "w") as file:
    file.write(to_nwb(record_of(recording, rows)))
record = read_record(path)
print("nwb", record.rows["voltage"][0].tolist())
table = io.StringIO()
write_csv(record, "bins", table)
names, first, *_ = (line.split(",") for line in table.getvalue().splitlines())
print("csv", ",".join(first[names.index(name)] for name in ("volts", "channel")))
print("redis", LETTERS["e"])
