"""From a hand to the neurons, and from a bin to the cursor: ``python -m tests.benchmarks.hand [SECONDS]``.

A hand in this process points 40 times a second over its WebSocket, a Wiener filter in another process
drives, at 40 Hz, and the server has measured each leg. Beside it stands what a bare sleep loop does here.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time

import websocket

from tests.benchmarks import emit, server, sleep_floor

PERIOD = 0.025
CODE = "hand"


def main(seconds: float) -> None:
    floor = sleep_floor(PERIOD)
    with server("--no-lsl") as ours:
        ours.ask("POST", "/api/sessions", {"custom_code": CODE, "source": "user:person"})
        ours.ask("POST", f"/api/sessions/{CODE}/decoders", {"decoder": "wiener"})
        ours.ask("POST", f"/api/control/{CODE}/resume")
        while ours.get(f"/api/sessions/{CODE}")["closed_loop"]["driver"] is None:
            time.sleep(0.2)
        hand = websocket.create_connection(f"ws://127.0.0.1:{ours.port}/hand/{CODE}")
        began, n = time.perf_counter(), 0
        while (gone := time.perf_counter() - began) < seconds:
            place = {"x": 80 * math.cos(gone), "y": 80 * math.sin(gone), "t": time.time()}
            hand.send(json.dumps(place))
            n += 1
            time.sleep(max(began + n * PERIOD - time.perf_counter(), 0.0))
        way = ours.get(f"/api/sessions/{CODE}")["closed_loop"]["way"]
        hand.close()
    legs = {
        f"{name}_ms": {each: round(value, 2) for each, value in leg.items()} for name, leg in way.items()
    }
    emit("hand", sent=n, **legs, floor_sleep_ms=floor, load_average=os.getloadavg()[0])


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
