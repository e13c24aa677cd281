"""All that may listen to 96 electrodes, at once: ``python -m tests.benchmarks.electrode_soak [MINUTES]``.

Two pages in Chromium, a raw WebSocket client, an LSL inlet of the voltages, and a decoder; 10 minutes by
default, after what is made once. Blocks, samples and packets must follow each other, no tick be late, and
the memory stay.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pylsl
from playwright.sync_api import sync_playwright
from websocket import create_connection

from engine.broadband import BLOCK, SAMPLING_RATE
from tests.benchmarks import Server, emit, server, sleep_floor
from tests.benchmarks.dashboard import CODE, cpu_seconds, held, post
from tests.conftest import ARGUMENTS, CHROMIUM

LINE_EVERY = 60.0
DECODES_WITHIN = 180.0
"""Seconds: the counts that the decoder learns from are found first."""
STEP = 0.5 / SAMPLING_RATE
"""Seconds by which a sample may come at another time than after the one before."""


@dataclass
class Heard:
    """How much came, and how often something was missing before it."""

    n: int = 0
    gaps: int = 0


def raw_client(ours: Server, heard: Heard, ended: threading.Event) -> None:
    socket = create_connection(f"ws://127.0.0.1:{ours.port}/stream/raw/{CODE}", timeout=60)
    header, following = struct.Struct(json.loads(socket.recv())["header"]["struct"]), None
    while not ended.is_set():
        _, _, _, _, first, _, flags = header.unpack_from(socket.recv())
        heard.gaps += following not in (None, first) or bool(flags)
        heard.n, following = heard.n + 1, first + BLOCK
    socket.close()


def inlet(heard: Heard, ended: threading.Event) -> None:
    (found,) = pylsl.resolve_byprop("name", f"PhantomLink-Raw-{CODE}", timeout=60)
    stream, last = pylsl.StreamInlet(found, max_buflen=10), None
    while not ended.is_set():
        _, stamps = stream.pull_chunk(timeout=1.0, max_samples=SAMPLING_RATE)
        for stamp in stamps:
            heard.gaps += last is not None and abs(stamp - last - 1 / SAMPLING_RATE) > STEP
            last = stamp
        heard.n += len(stamps)
    stream.close_stream()


def until(met: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            raise TimeoutError(f"It took more than {seconds:g} s")
        time.sleep(1)


def main(minutes: float) -> None:
    floor, seconds = sleep_floor(), 60 * minutes
    raw, lsl, ended = Heard(), Heard(), threading.Event()
    with tempfile.TemporaryDirectory() as records, server("--records", records) as ours:

        def session() -> dict:
            return ours.get("/metrics")["metrics"]["sessions"][CODE]

        def decoding() -> bool:
            scores = ours.get(f"/api/sessions/{CODE}/scores")["decoders"]
            return bool(scores) and scores["wiener"]["n_bins"] > 0

        post(ours, "/api/sessions", {"custom_code": CODE, "source": "electrodes", "lsl": True})
        post(ours, f"/api/control/{CODE}/resume")
        post(ours, f"/api/sessions/{CODE}/decoders", {"decoder": "wiener"})
        threads = [
            threading.Thread(target=raw_client, args=(ours, raw, ended)),
            threading.Thread(target=inlet, args=(lsl, ended)),
        ]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            pages = [browser.new_page() for _ in range(2)]
            for page in pages:
                page.goto(f"http://127.0.0.1:{ours.dashboard_port}/live?session={CODE}")
            for thread in threads:
                thread.start()
            until(lambda: decoding() and raw.n > 0 and lsl.n > 0, DECODES_WITHIN)
            before, busy, began = session(), cpu_seconds(ours.pid), time.monotonic()
            memory, blocks, samples = held(ours.pid)["megabytes"], raw.n, lsl.n
            gaps = raw.gaps, lsl.gaps
            while (left := seconds - (time.monotonic() - began)) > 0:
                time.sleep(min(left, LINE_EVERY))
                emit("so far", minutes=(time.monotonic() - began) / 60, **held(ours.pid))
            after, took = session(), time.monotonic() - began
            emit(
                "96 electrodes, all listeners",
                minutes=took / 60,
                late_ticks=after["late_ticks"] - before["late_ticks"],
                dropped_packets=after["dropped_packets"] - before["dropped_packets"],
                tick_ms=after["timing_error_ms"],
                delivery_ms=after["network_latency_ms"],
                blocks=raw.n - blocks,
                blocks_missing=raw.gaps - gaps[0],
                samples=lsl.n - samples,
                samples_missing=lsl.gaps - gaps[1],
                megabytes=[memory, held(ours.pid)["megabytes"]],
                core_share=(cpu_seconds(ours.pid) - busy) / took,
                frames=[page.evaluate("window.deckStats.painted") for page in pages],
                recall=ours.get(f"/api/sessions/{CODE}")["detection"]["recall"],
                floor_sleep_ms=floor,
            )
            browser.close()
        ended.set()
        for thread in threads:
            thread.join(10)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
