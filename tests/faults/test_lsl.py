"""LSL as a lab uses it: sessions that end under their inlets, restarts, recorders, and MNE-LSL."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import numpy as np
import pylsl
import pytest
import pyxdf

from engine.sinks.base import Subject
from engine.sinks.feeder import Feeder
from engine.sinks.lsl import LslNames, LslSink
from engine.sources.recordings.readers import read
from engine.sources.recordings.synthetic import default_recording
from tests.benchmarks import ROOT, server
from tests.builders import replay_of, small_recording
from tests.faults.crowd import crowd, verdicts
from tests.faults.xdf import write_xdf

PATIENCE = 20.0
BACK_WITHIN = 10.0
PAUSE = 5.0


def attached(code: str, part: str = "Neural", recover: bool = False) -> pylsl.StreamInlet:
    """An inlet that gets samples."""
    (found,) = pylsl.resolve_byprop("name", f"PhantomLink-{part}-{code}", timeout=PATIENCE)
    inlet = pylsl.StreamInlet(found, recover=recover)
    assert inlet.pull_sample(PATIENCE)[0] is not None
    return inlet


@pytest.mark.parametrize("n", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_sessions_that_end_under_their_inlets_disturb_nobody(n: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(server(log=stack.enter_context(log.open("w"))))
        url = f"ws://127.0.0.1:{ours.port}/stream/binary/other?layout=compact"
        witness = stack.enter_context(crowd(1, url))
        for i in range(n):
            ours.ask("POST", "/api/sessions", {"custom_code": f"short-{i}", "lsl": True})
            inlets = [attached(f"short-{i}"), attached(f"short-{i}", "Kinematics")]
            ours.ask("DELETE", f"/api/sessions/short-{i}")
            for inlet in inlets:
                inlet.close_stream()
        other = ours.get("/metrics")["metrics"]["sessions"]["other"]
        (seen,) = verdicts(witness)
    assert other["lost_time_seconds"] == 0.0
    assert seen["gaps"] == 0
    assert log.read_text() == ""


def test_inlets_come_back_by_themselves_after_a_restart() -> None:
    code = f"again-{uuid.uuid4().hex[:8]}"
    with server() as first:
        first.ask("POST", "/api/sessions", {"custom_code": code, "lsl": True})
        inlet = attached(code, recover=True)
        os.kill(first.pid, signal.SIGTERM)
        assert first.ended(PATIENCE) == 0
    with server() as second:
        second.ask("POST", "/api/sessions", {"custom_code": code, "lsl": True})
        began = time.monotonic()
        restarted = pylsl.local_clock()
        stamp = 0.0
        while stamp < restarted and time.monotonic() < began + PATIENCE:
            stamp = inlet.pull_sample(1.0)[1] or 0.0
        took = time.monotonic() - began
        inlet.close_stream()
    assert took < BACK_WITHIN


def test_a_pause_of_5_s_comes_back_from_xdf_with_the_times_that_were_sent(tmp_path: Path) -> None:
    code = f"xdf-{uuid.uuid4().hex[:8]}"
    recording = small_recording(n_bins=400)
    replay = replay_of(recording)
    feeder = Feeder("lsl", lambda: LslSink(Subject(code, recording, 40.0), LslNames()), replay)
    assert feeder.made.wait(PATIENCE)
    (found,) = pylsl.resolve_byprop("name", f"PhantomLink-Kinematics-{code}", timeout=PATIENCE)
    inlet = pylsl.StreamInlet(found)
    header = inlet.info(PATIENCE).as_xml()
    samples, stamps, offsets = [], [], []

    def record(n: int) -> None:
        offsets.append((pylsl.local_clock(), inlet.time_correction(PATIENCE)))
        for _ in range(n):
            sample, stamp = inlet.pull_sample(PATIENCE)
            samples.append(sample)
            stamps.append(stamp)

    record(80)
    replay.pause()
    time.sleep(PAUSE)  # the pause itself
    replay.resume()
    record(80)
    inlet.close_stream()
    replay.close()
    path = tmp_path / "pause.xdf"
    write_xdf(path, header, np.array(samples, np.float32), stamps, offsets)
    (stream,), _ = pyxdf.load_xdf(path)

    assert np.diff(stamps).max() > PAUSE
    assert len(stream["time_stamps"]) == len(stamps)
    np.testing.assert_allclose(stream["time_stamps"], np.add(stamps, offsets[0][1]), atol=1e-3)
    np.testing.assert_array_equal(stream["time_series"], np.array(samples, np.float32))


def test_mne_lsl_connects_and_reads() -> None:
    code = f"mne-{uuid.uuid4().hex[:8]}"
    program = (
        "import sys, time\n"
        "from mne_lsl.stream import StreamLSL\n"
        "stream = StreamLSL(bufsize=2, name=sys.argv[1]).connect(timeout=15)\n"
        "until = time.monotonic() + 15\n"
        "while stream.n_new_samples < 40 and time.monotonic() < until: time.sleep(0.05)\n"
        "data, times = stream.get_data(winsize=1)\n"
        "print(stream.info['sfreq'], *data.shape, stream.ch_names[0], (times > 0).all())\n"
        "stream.disconnect()\n"
    )
    with server() as ours:
        ours.ask("POST", "/api/sessions", {"custom_code": code, "lsl": True})
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, f"PhantomLink-Neural-{code}"],
            cwd=ROOT, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "40.0 142 40 unit 0 True"


def test_mne_lsl_takes_epochs_around_movement_onsets() -> None:
    code = f"mne-{uuid.uuid4().hex[:8]}"
    program = (
        "import json, sys, time\n"
        "from mne_lsl.stream import EpochsStream, StreamLSL\n"
        "name = sys.argv[1]\n"
        "triggers = StreamLSL(bufsize=20, name=name.replace('Neural', 'Triggers')).connect(timeout=15)\n"
        "neural = StreamLSL(bufsize=4, name=name).connect(timeout=15)\n"
        "kinds = triggers.ch_names\n"
        "epochs = EpochsStream(neural, 20, None, kinds, triggers, -0.1, 0.3, None)\n"
        "epochs.connect(acquisition_delay=0.05)\n"
        "until = time.monotonic() + 20\n"
        "onset = kinds.index('move_onset')\n"
        "while onset not in epochs.events and time.monotonic() < until: time.sleep(0.05)\n"
        "events, data, later = epochs.events, epochs.get_data(), epochs.events\n"
        "while len(events) != len(data) or (events != later).any():\n"  # others came in between
        "    events, data, later = epochs.events, epochs.get_data(), epochs.events\n"
        "data = data[events == onset].astype(int).tolist()\n"
        "print(json.dumps([neural.get_channel_types(unique=True), data]))\n"
        "epochs.disconnect(), neural.disconnect(), triggers.disconnect()\n"
    )
    recording = read(default_recording(ROOT / "data"), 40.0)
    subject = Subject(code, recording, 5 * recording.bin_rate)
    with (
        closing(replay_of(recording, speed=5.0)) as replay,
        closing(Feeder("lsl", lambda: LslSink(subject, LslNames()), replay)),
    ):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, f"PhantomLink-Neural-{code}"],
            cwd=ROOT, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    types, epochs = json.loads(done.stdout.splitlines()[-1])
    assert types == ["misc"]
    assert epochs
    onsets = [recording.bin_at(trial.move_onset_time) for trial in recording.trials]
    for epoch in np.array(epochs).transpose(
        0, 2, 1
    ):  # 0.1 s before and 0.3 s after, at 200 bins per second
        before, after = 20, 60
        assert epoch.shape[0] == before + after
        fits = [i for i in onsets if np.array_equal(recording.counts[i - before : i + after], epoch)]
        assert len(fits) == 1
