"""What stays behind when the server runs for long: ``python -m tests.benchmarks.soak [MINUTES]``.

An hour by default. Ten sessions with a decoder each, two pages that come and go, and a session made and
deleted every few seconds. A line a minute; the last one has the slope of the resident memory after the
warm-up, a fifth of the time.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from tests.benchmarks import Server, emit, server, sleep_floor
from tests.benchmarks.dashboard import CODE, held, post, viewers
from tests.benchmarks.listeners import listening
from tests.benchmarks.load import received, sessions_of, stream

EVERY = 5.0
"""Seconds between two looks, and two short-lived sessions."""
LINE_EVERY = 60.0
WARM_UP = 0.2


def watch(ours: Server, seconds: float) -> None:
    began, told, times, held_then = time.monotonic(), 0.0, [], []
    late_before = None
    while (at := time.monotonic() - began) < seconds:
        post(ours, "/api/sessions", {"custom_code": "passing"})
        post(ours, "/api/control/passing/resume")
        time.sleep(EVERY)
        ours.ask("DELETE", "/api/sessions/passing")
        times.append(at)
        held_then.append(held(ours.pid))
        late = sum(each["late_ticks"] for each in sessions_of(ours))
        if late_before is None and at >= WARM_UP * seconds:
            late_before = late
        if at - told >= LINE_EVERY:
            told = at
            emit("soak", minutes=at / 60, late_ticks=late, **held_then[-1])
    warm = np.array(times) >= WARM_UP * seconds
    megabytes = np.array([each["megabytes"] for each in held_then])
    slope, _ = np.polyfit(np.array(times)[warm] / 3600, megabytes[warm], 1)
    emit(
        "soak, after warm-up",
        minutes=seconds / 60,
        megabytes_per_hour=float(slope),
        megabytes=[float(megabytes[warm][0]), float(megabytes[-1])],
        threads=[held_then[int(np.argmax(warm))]["threads"], held_then[-1]["threads"]],
        descriptors=[held_then[int(np.argmax(warm))]["descriptors"], held_then[-1]["descriptors"]],
        late_ticks_added=late - (late_before or 0),
    )


def main(minutes: float) -> None:
    seconds = 60 * minutes
    floor = sleep_floor()
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        post(ours, f"/api/control/{CODE}/resume")
        urls = [stream(ours, f"soak-{i}") for i in range(10)]
        with viewers(ours, 2, "--churn"), listening(seconds + EVERY, urls) as heard:
            watch(ours, seconds)
    emit("soak, as decoders saw it", **received(heard[0]), floor_sleep_ms=floor)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
