"""What pages cost and how live they are: ``python -m tests.benchmarks.dashboard [--short]``."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks import ROOT, Server, emit, floors, server, sleep_floor, spread
from tests.conftest import ARGUMENTS, CHROMIUM

CODE = "bench"
TICKS = os.sysconf("SC_CLK_TCK")
DECODED_SESSIONS = 10


def post(ours: Server, path: str, body: dict[str, Any] | None = None) -> None:
    data = json.dumps(body or {}).encode()
    urllib.request.urlopen(f"http://127.0.0.1:{ours.port}{path}", data).close()


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, user and system."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_share(pid: int, seconds: float) -> float:
    """Per cent of a core that a process uses over some seconds."""
    before, start = cpu_seconds(pid), time.perf_counter()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.perf_counter() - start)


@contextlib.contextmanager
def viewers(ours: Server, n: int, *options: str) -> Iterator[None]:
    """So many pages in another process, all open when the block begins."""
    command = [sys.executable, "-m", "tests.benchmarks.viewers"]
    command += [f"http://127.0.0.1:{ours.dashboard_port}", CODE, str(n), *options]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        yield
    finally:
        process.communicate(timeout=20)


def cost_of_viewers(seconds: float) -> None:
    """Server CPU at some numbers of viewers of one session."""
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        post(ours, f"/api/control/{CODE}/resume")
        time.sleep(1)
        alone = cpu_share(ours.pid, seconds)
        for n in (1, 8, 50, 100):
            with viewers(ours, n):
                time.sleep(2)
                share = cpu_share(ours.pid, seconds)
            if n == 1:
                first = share
            emit(
                "server CPU by viewers, % of a core",
                viewers=n,
                cpu=share,
                cpu_without_viewers=alone,
                each=(share - alone) / n,
                each_beyond_the_first=(share - first) / (n - 1) if n > 1 else None,
            )


def liveness(browser: Browser, seconds: float) -> None:
    """Load time, frame rate and data age in a real browser that renders in software."""
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        post(ours, f"/api/control/{CODE}/resume")
        loads, usable = [], []
        for _ in range(5):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"http://127.0.0.1:{ours.dashboard_port}/live?session={CODE}")
            page.wait_for_function("() => window.deckStats?.painted >= 1")
            loads.append(page.evaluate("performance.now()") / 1e3)
            page.wait_for_selector("body[data-controls=ready]")
            usable.append(page.evaluate("performance.now()") / 1e3)
            page.close()
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{ours.dashboard_port}/live?session={CODE}")
        page.wait_for_function("() => window.deckStats?.painted >= 80")
        before = page.evaluate("[window.deckStats.painted, performance.now()]")
        time.sleep(seconds)
        after = page.evaluate("[window.deckStats.painted, performance.now()]")
        ages = page.evaluate("[...window.deckStats.ages]")
        painted = int(after[0] - before[0])
        newest = [ages[i % len(ages)] for i in range(int(before[0]), int(after[0]))]
        emit(
            "page in Chromium, software rendering, all plots",
            frames_per_second=1e3 * painted / (after[1] - before[1]),
            age_of_newest_bin_ms=spread(newest[-4096:], 1.0),
            load_to_first_plot_s=statistics.median(loads),
            load_to_first_plot_worst_s=max(loads),
            load_to_controls_usable_s=statistics.median(usable),
            load_to_controls_usable_worst_s=max(usable),
            floor_sleep_ms=sleep_floor(),
        )


def churn(browser: Browser, seconds: float) -> None:
    """Decoders' punctuality while pages are opened and closed without pause."""
    with server() as ours:
        urls = [
            f"ws://127.0.0.1:{ours.port}/stream/binary/bench{i or ''}?layout=compact"
            for i in range(DECODED_SESSIONS)
        ]
        command = [sys.executable, "-m", "tests.benchmarks.clients", str(seconds), *urls]
        for pages in ("none", "opened and closed"):
            opened = 0
            beside = floors(seconds - 1)
            with beside as floor, tempfile.TemporaryFile() as output:  # a full pipe would stop them
                decoders = subprocess.Popen(command, cwd=ROOT, stdout=output)
                if pages != "none":
                    time.sleep(1)
                    with viewers(ours, 2, "--churn"):
                        while decoders.poll() is None:
                            page = browser.new_page()
                            page.goto(f"http://127.0.0.1:{ours.dashboard_port}/live?session={CODE}")
                            page.close()
                            opened += 1
                decoders.wait()
                output.seek(0)
                heard = json.load(output)
            sessions = ours.get("/metrics")["metrics"]["sessions"].values()
            emit(
                "decoders while pages come and go",
                pages=pages,
                pages_in_chromium=opened,
                sessions=DECODED_SESSIONS,
                tick_lateness_p99_ms=max(s["timing_error_ms"]["p99"] for s in sessions),
                tick_lateness_max_ms=max(s["timing_error_ms"]["max"] for s in sessions),
                late_ticks=sum(s["late_ticks"] for s in sessions),
                delivery_ms=spread(np.array(heard["delays"])),
                gaps=heard["gaps"],
                floor_sleep_ms=floor["ordinary"],
                floor_sleep_in_real_time_ms=floor["real_time"],
            )


def leftovers(browser: Browser, n_pages: int) -> None:
    """What stays behind in the server of pages that were opened and closed."""
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        post(ours, f"/api/control/{CODE}/resume")
        open_and_close(ours, browser, 20)  # the first ones build what all share
        before = held(ours.pid)
        open_and_close(ours, browser, n_pages)
        wait_until(lambda: held(ours.pid)["descriptors"] <= before["descriptors"], 60.0)
        after = held(ours.pid)
        emit(
            "left behind by pages that were opened and closed",
            pages=n_pages,
            **{f"{name}_before": value for name, value in before.items()},
            **{f"{name}_after": value for name, value in after.items()},
        )


def open_and_close(ours: Server, browser: Browser, n_pages: int) -> None:
    """One after the other; every tenth of them explores the recording, in Chromium."""
    base = f"http://127.0.0.1:{ours.dashboard_port}"
    for i in range(n_pages):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{base}/explore" if i % 10 == 9 else f"{base}/live?session={CODE}")
        page.wait_for_selector("body[data-controls=ready]", timeout=60_000)
        page.close()


def held(pid: int) -> dict[str, float]:
    """What a process has: megabytes, threads and file descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "megabytes": int(fields["VmRSS"].split()[0]) / 1024,
        "threads": int(fields["Threads"]),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
    }


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    """Look again and again for at most so long."""
    until = time.perf_counter() + seconds
    while not true() and time.perf_counter() < until:
        time.sleep(0.5)


def main(short: bool) -> None:
    seconds = 5.0 if short else 20.0
    cost_of_viewers(seconds)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        liveness(browser, seconds)
        churn(browser, seconds)
        leftovers(browser, 20 if short else 200)
        browser.close()


if __name__ == "__main__":
    main("--short" in sys.argv[1:])
