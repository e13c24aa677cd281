"""A decoder gone wild, in a process of its own: it predicts as fast as it is told to, and reads nothing.

Usage: python -m tests.faults.flood PORT CODE SECONDS PER_SECOND; prints how many predictions it could send
before the server stopped taking them.
"""

from __future__ import annotations

import json
import sys
import time

from tests.faults.messages import TEXT, frame
from tests.sessions.streaming import PlainDecoder

STEP = 0.001


def main(port: int, code: str, seconds: float, per_second: int) -> None:
    decoder = PlainDecoder(port, f"/stream/{code}?decoder=flood&queue=latest", slow=False)
    decoder.wait_open()
    next(decoder.frames())
    decoder.socket.setblocking(False)
    answer = {"type": "prediction", "sequence_number": 0, "x": 1.0, "y": 2.0}
    burst = frame(TEXT, json.dumps(answer).encode())
    start, asked, sent, left = time.perf_counter(), 0, 0, b""
    while (now := time.perf_counter() - start) < seconds:
        due = int(now * per_second) - asked
        asked += due
        # What the server does not take is not kept: a flood goes on, it does not grow.
        left = left if left else burst * due
        try:
            taken = decoder.socket.send(left)
        except BlockingIOError:
            taken = 0
        sent += taken
        left = left[taken:]
        time.sleep(STEP)
    print(sent // len(burst))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
