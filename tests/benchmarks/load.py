"""How much the server bears: ``python -m tests.benchmarks.load [--short] [NAME ...]``.

NAME is one or more of the measurements below, all if none is given. Clients run in processes of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError

from playwright.sync_api import sync_playwright
from websocket import WebSocket, create_connection

from tests.benchmarks import ROOT, Server, emit, free_port, server, sleep_floor, spread
from tests.benchmarks.dashboard import CODE, cpu_seconds, held, post, viewers
from tests.benchmarks.listeners import Heard, listening
from tests.benchmarks.recordings import write_random
from tests.conftest import ARGUMENTS, CHROMIUM
from tests.faults.crowd import crowd

MC_MAZE = (182, 5399.0)
"""Units and seconds of the full recording."""
SETTLING = 2.0
SEATS = 40


def measured(ours: Server, urls: Sequence[str], seconds: float) -> dict[str, object]:
    """Listen, and put what server and clients saw side by side."""
    with listening(seconds, urls) as heard:
        time.sleep(SETTLING)
        busy, began = cpu_seconds(ours.pid), time.perf_counter()
        late = late_ticks(ours)
        time.sleep(seconds - SETTLING)
        share = 100 * (cpu_seconds(ours.pid) - busy) / (time.perf_counter() - began)
        sessions = sessions_of(ours)
        late = late_ticks(ours) - late
    return {
        "seconds": seconds,
        "server_cpu_percent": share,
        "late_ticks": late,
        "tick_lateness_p99_ms": max(each["timing_error_ms"]["p99"] for each in sessions),
        "tick_lateness_max_ms": max(each["timing_error_ms"]["max"] for each in sessions),
        **received(heard[0]),
    }


def received(heard: Heard) -> dict[str, object]:
    return {
        "packets": len(heard.delays),
        "gaps": heard.gaps,
        "rate_hz": [float(heard.rates.min()), float(heard.rates.max())],
        "delivery_ms": spread(heard.delays),
    }


def sessions_of(ours: Server) -> list[dict]:
    return list(ours.get("/metrics")["metrics"]["sessions"].values())


def late_ticks(ours: Server) -> int:
    return sum(each["late_ticks"] for each in sessions_of(ours))


def stream(ours: Server, code: str, **query: str) -> str:
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    return f"ws://127.0.0.1:{ours.port}/stream/binary/{code}?layout=compact{asked}"


def many_sessions(short: bool) -> None:
    """So many sessions, one client each."""
    for n in (50, 100, 150, 200):
        floor = sleep_floor()
        with server("--no-lsl", "--max-sessions", "250") as ours:
            urls = [stream(ours, f"bench-{i}") for i in range(n)]
            figures = measured(ours, urls, 20.0 if short else 600.0)
            emit("sessions with one client each", sessions=n, **figures, floor_sleep_ms=floor)


def many_clients(short: bool) -> None:
    """One session, very many clients."""
    floor = sleep_floor()
    with server("--no-lsl") as ours:
        figures = measured(ours, [stream(ours, "bench")] * 500, 20.0 if short else 120.0)
        emit("clients on one session", clients=500, **figures, floor_sleep_ms=floor)


def with_pages(short: bool) -> None:
    """Ten sessions, and pages that stay or come and go all the time."""
    floor = sleep_floor()
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        post(ours, f"/api/control/{CODE}/resume")
        urls = [stream(ours, f"bench-{i}") for i in range(10)]
        with viewers(ours, 6), viewers(ours, 2, "--churn"):
            figures = measured(ours, urls, 20.0 if short else 120.0)
        emit("sessions while pages come and go", sessions=10, pages=8, **figures, floor_sleep_ms=floor)


def wall(short: bool) -> None:
    """A class: forty sessions with a decoder each that answers, and their wall open in two browsers."""
    floor = sleep_floor()
    with server("--no-lsl") as ours, sync_playwright() as playwright, contextlib.ExitStack() as open_:
        post(ours, "/api/sessions/many", {"count": SEATS, "prefix": "class"})
        pages = []
        for _ in range(2):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            open_.callback(browser.close)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.set_default_timeout(120_000)
            page.goto(f"http://127.0.0.1:{ours.dashboard_port}/wall?prefix=class")
            page.wait_for_selector("body[data-controls=ready]")
            page.wait_for_selector(f"#wall li:nth-child({SEATS})")
            pages.append(page)
        urls = [stream(ours, f"class-{seat:02d}", decoder="answers") for seat in range(1, SEATS + 1)]
        figures = measured(ours, urls, 30.0 if short else 600.0)
        shown = [page.locator("#wall li[data-mark]:not([data-mark=''])").count() for page in pages]
        emit(
            "wall of a class in two browsers",
            sessions=SEATS,
            scored_on_the_walls=shown,
            **figures,
            load_average=os.getloadavg(),
            floor_sleep_ms=floor,
        )


def large_bins(short: bool) -> None:
    """Many units, and short bins."""
    with tempfile.TemporaryDirectory() as folder:
        for n_units, rate in ((1024, 40), (142, 1000)):
            path = write_random(Path(folder) / f"units-{n_units}.nwb", n_units, 60.0)
            floor = sleep_floor(1 / rate)
            with server("--no-lsl", "--data", str(path), "--rate", str(rate)) as ours:
                figures = measured(ours, [stream(ours, "bench")], 15.0 if short else 120.0)
            cost = 1e4 * figures["server_cpu_percent"] / rate
            emit("large", units=n_units, bins_hz=rate, cpu_us_per_bin=cost, **figures, floor_sleep_ms=floor)


def at_max(short: bool) -> None:
    """Speed max to one client."""
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": "bench", "speed": "max"})
        with listening(5.0 if short else 30.0, [stream(ours, "bench")]) as heard:
            pass
    (found,) = heard
    emit("speed max, one client", bins_per_second=float(found.rates[0]), gaps=found.gaps)


def first_packet(short: bool) -> None:
    """From the command to the first packet."""
    took = []
    for _ in range(3 if short else 10):
        port, dashboard = str(free_port()), str(free_port())
        command = [sys.executable, str(ROOT / "serve.py"), "--port", port, "--dashboard-port", dashboard]
        start = time.perf_counter()
        with subprocess.Popen([*command, "--log-level", "ERROR"], stdout=subprocess.DEVNULL) as process:
            connection = knock(f"ws://127.0.0.1:{port}/stream/first")
            connection.recv()
            connection.recv()
            took.append(time.perf_counter() - start)
            connection.close()
            process.terminate()
    emit("start to first packet, s", **spread(took, 1.0), starts=len(took))


def knock(url: str) -> WebSocket:
    """Connect as soon as there is somebody."""
    until = time.monotonic() + 60
    while True:
        try:
            return create_connection(url, timeout=60)
        except (OSError, URLError):
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def loading(short: bool) -> None:
    """A recording of MC_Maze's full size."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_random(Path(folder) / "large.nwb", *MC_MAZE)
        command = [sys.executable, "-m", "tests.benchmarks.loading", str(path)]
        for _ in range(1 if short else 3):
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            emit("load a recording of MC_Maze's size", **json.loads(done.stdout))


def memory(short: bool) -> None:
    """Ten sessions, one client each."""
    with server() as ours:
        before = held(ours.pid)["megabytes"]
        with listening(65.0 if not short else 10.0, [stream(ours, f"bench-{i}") for i in range(10)]):
            time.sleep(60.0 if not short else 8.0)
            after = held(ours.pid)["megabytes"]
    emit("memory of 10 sessions, MB", without=before, with_sessions=after, each=(after - before) / 10)


def flood(short: bool) -> None:
    """One decoder predicts at 10 kHz while ten others listen."""
    seconds = 10.0 if short else 60.0
    with server("--no-lsl") as ours:
        urls = [stream(ours, f"bench-{i}") for i in range(10)]
        for per_second in (0, 10_000):
            floor = sleep_floor()
            module = [sys.executable, "-m", "tests.faults.flood", str(ours.port), "bench-0"]
            with subprocess.Popen(
                [*module, str(seconds + SETTLING), str(per_second)], cwd=ROOT, stdout=subprocess.PIPE
            ) as flooding:
                figures = measured(ours, urls, seconds)
                assert flooding.stdout is not None
                sent = int(flooding.stdout.read())
            emit("flood of predictions", per_second=per_second, sent=sent, **figures, floor_sleep_ms=floor)
        counted = ours.get("/api/sessions/bench-0/scores")["decoders"]["flood"]
        emit(
            "flood of predictions, as counted", **{name: counted[name] for name in ("duplicate", "refused")}
        )


def stalled(short: bool) -> None:
    """Ten decoders, beside a hundred of one of their sessions: absent, reading, and stopped."""
    with server("--no-lsl") as ours:
        urls = [stream(ours, f"bench-{i}") for i in range(10)]

        def tell(hundred: str) -> None:
            figures = measured(ours, urls, 15.0)
            emit("ten decoders beside a hundred", hundred=hundred, **figures, floor_sleep_ms=floor)

        for _ in range(1 if short else 5):
            floor = sleep_floor()
            tell("absent")
            with crowd(100, urls[0]) as others:
                tell("reading")
                others.send_signal(signal.SIGSTOP)
                tell("stopped")


MEASUREMENTS: dict[str, Callable[[bool], None]] = {
    each.__name__: each
    for each in (
        many_sessions, many_clients, with_pages, wall, large_bins, at_max, first_packet, loading, memory,
        flood, stalled,
    )
}  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    names = [name for name in arguments if not name.startswith("--")] or list(MEASUREMENTS)
    for name in names:
        MEASUREMENTS[name]("--short" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
