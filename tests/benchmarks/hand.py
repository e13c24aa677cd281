"""What a hand feels: ``python -m tests.benchmarks.hand [SECONDS [DECODER ...]]``.

A hand in this process points at the target 40 times a second over its WebSocket, a decoder in another
process drives, at 40 Hz, and the server has measured each leg and what was acquired. Beside it stands what
a bare sleep loop does here.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

import websocket

from tests.benchmarks import Server, emit, server, sleep_floor

PERIOD = 0.025
SCORES = ("n_trials", "success", "acquisition_time", "bit_rate_achieved")


class Target:
    """Where the newest packet has it."""

    def __init__(self, url: str) -> None:
        self.place = {"x": 0.0, "y": 0.0}
        self._socket = websocket.create_connection(url)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for message in iter(self._socket.recv, ""):
            told = json.loads(message)
            if told["type"] == "data":
                intention = told["data"]["intention"]
                self.place = {"x": intention["target_x"], "y": intention["target_y"]}


def drive(ours: Server, decoder: str, seconds: float) -> None:
    """One session, one hand, one decoder."""
    at, floor = f"127.0.0.1:{ours.port}", sleep_floor(PERIOD)
    ours.ask("POST", "/api/sessions", {"custom_code": decoder, "source": "user:person"})
    ours.ask("POST", f"/api/sessions/{decoder}/decoders", {"decoder": decoder})
    ours.ask("POST", f"/api/control/{decoder}/resume")
    while ours.get(f"/api/sessions/{decoder}")["closed_loop"]["driver"] is None:
        time.sleep(0.2)
    target = Target(f"ws://{at}/stream/{decoder}?queue=latest")
    hand = websocket.create_connection(f"ws://{at}/hand/{decoder}")
    ours.ask("POST", f"/api/control/{decoder}/restart")
    began, n = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        hand.send(json.dumps({**target.place, "t": time.time()}))
        n += 1
        time.sleep(max(began + n * PERIOD - time.perf_counter(), 0.0))
    way = ours.get(f"/api/sessions/{decoder}")["closed_loop"]["way"]
    scores = ours.get(f"/api/sessions/{decoder}/scores")["decoders"][decoder]
    hand.close()
    ours.ask("DELETE", f"/api/sessions/{decoder}?force=true")
    legs = {
        f"{name}_ms": {each: round(value, 2) for each, value in leg.items()} for name, leg in way.items()
    }
    reached = {name: scores[name] for name in SCORES}
    emit("hand", decoder=decoder, **reached, **legs, floor_sleep_ms=floor, load_average=os.getloadavg()[0])


def main(seconds: float, decoders: list[str]) -> None:
    with server("--no-lsl") as ours:
        for decoder in decoders:
            drive(ours, decoder, seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0, sys.argv[2:] or ["wiener"])
