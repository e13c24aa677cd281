"""What decoders are worth to a simulated user: ``python -m tests.benchmarks.closed_loop [DECODER ...]``.

Each learns from the first three quarters of a recording's trials, as `serve.py decode` does, and then moves
the cursor in lockstep, in one process, without sockets. ``--recording FILE`` takes another recording, and
``--rate`` tells instead how many bins a second a session in lockstep has, over a WebSocket with `serve.py
decode` in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.answers.scores.acquisition import Acquisition, Acquisitions
from engine.bins.source import Block
from engine.decoders import make_decoder
from engine.decoders.bins import Bins
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.synthetic import default_recording
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.fitting import Fits
from engine.sources.user.source import SimulatedUser
from sessions.configured import DATA
from tests.benchmarks import ROOT, emit, server

DECODERS = ("perfect", "wiener", "kalman", "refit", "rls", "noise")
USERS = ("skilled", "naive")
MEASURED_FOR = 10.0

Decode = Callable[[np.void], list[float]]


def decoding(key: str, recording: Recording, seed: int) -> Decode:
    """What answers a bin: a decoder that has learned, one that knows what is intended, or none at all."""
    if key == "perfect":
        return lambda row: [math.nan, math.nan, *row["intended"].tolist()]
    if key == "noise":
        draws = np.random.default_rng(seed)
        speed = float(np.nanstd(recording.kinematics[:, 2:]))
        return lambda _: [math.nan, math.nan, *(speed * draws.standard_normal(2)).tolist()]
    ids = recording.trial_ids
    bins = Bins.of(recording, ids[: round(0.75 * len(ids))])
    decoder = make_decoder(key, recording.bin_rate)
    bins.teach(decoder)
    return lambda row: decoder.predict(row["counts"]).tolist()  # type: ignore[no-any-return]


def run(
    recording: Recording, fits: Fits, loop: ClosedLoop, decode: Decode, seconds: float
) -> list[Acquisition]:
    """The trials of some seconds in lockstep."""
    source = SimulatedUser(recording, loop, fits)
    description = source.description
    judge = Acquisitions(description.goal, description.bin_width)
    block, trials = Block(description, 1), []
    source.attend("driver")
    for number in range(round(seconds * description.bin_rate)):
        block.rows["sequence_number"] = number
        source.fill(block, [(number * description.bin_width, 0.0)])
        source.sent(block.rows)
        trials += judge.take(block.rows.copy())
        source.answer("driver", number, tuple(decode(block.rows[0])))
    return trials


def compare(recording: Recording, decoders: list[str], seconds: float, **settings: object) -> None:
    fits = Fits(DATA / "neurons")
    while not SimulatedUser(recording, ClosedLoop(), fits).fit.done:
        time.sleep(0.2)
    for key in decoders:
        for user in USERS:
            decode = decoding(key, recording, 0)
            trials = run(recording, fits, ClosedLoop(preset=user, **settings), decode, seconds)
            won = [trial for trial in trials if trial.success]
            taken = sum(trial.seconds for trial in trials)
            emit(
                "closed_loop",
                recording=recording.name,
                decoder=key,
                user=user,
                trials=len(trials),
                success=round(len(won) / max(len(trials), 1), 3),
                acquisition_s=round(float(np.mean([t.seconds for t in won])), 3) if won else None,
                dial_in_s=round(float(np.mean([t.dial_in for t in won])), 3) if won else None,
                bit_rate_achieved=round(max(sum(t.bits for t in trials), 0.0) / max(taken, 1e-9), 3),
                **settings,
            )


def lockstep_rate() -> None:
    """Bins a second with a decoder in another process."""
    with server("--no-lsl") as ours:
        ours.ask(
            "POST",
            "/api/sessions",
            {"custom_code": "bench", "source": "user", "speed": "max", "lockstep": True},
        )
        command = [sys.executable, "serve.py", "decode", "--url", f"ws://127.0.0.1:{ours.port}"]
        command += ["--session", "bench", "--decoder", "wiener"]
        with subprocess.Popen(command, cwd=ROOT) as process:
            while (begun := ours.get("/api/sessions/bench")["packets_sent"]) < 200:
                time.sleep(0.1)
            began = time.perf_counter()
            time.sleep(MEASURED_FOR)
            sent = ours.get("/api/sessions/bench")["packets_sent"] - begun
            emit("closed_loop_lockstep", bins_per_s=round(sent / (time.perf_counter() - began)))
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("decoders", nargs="*", default=list(DECODERS))
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--recording", type=Path)
    parser.add_argument("--position", action="store_true", help="units fire for the cursor's position, too")
    parser.add_argument("--gain", type=float, help="of the cursor's velocity")
    parser.add_argument("--rate", action="store_true")
    options = parser.parse_args()
    if options.rate:
        lockstep_rate()
        return
    recording = read(options.recording or default_recording(DATA), 40.0)
    steering = {} if options.gain is None else {"gain": options.gain}
    compare(recording, options.decoders, options.seconds, position=options.position, steering=steering)


if __name__ == "__main__":
    main()
