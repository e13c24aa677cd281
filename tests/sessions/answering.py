"""A decoder in a process of its own, which answers every packet with what it says about movement.

Usage: python -m tests.sessions.answering URL NAME WHAT OFFSET [N]; WHAT is position, velocity or both.
Ends after N packets, or when the stream does.
"""

from __future__ import annotations

import json
import sys

import websocket

KEYS = {"position": "x y", "velocity": "vx vy", "both": "x y vx vy"}


def main(url: str, name: str, what: str, offset: float, n: int = 10**9) -> None:
    socket = websocket.create_connection(url, timeout=30)
    socket.recv()  # metadata
    for _ in range(n):
        message = socket.recv()
        if not message:
            return
        data = json.loads(message)["data"]
        movement = {key: data["kinematics"][key] for key in KEYS[what].split()}
        if None in movement.values():
            continue
        values = {key: value + offset for key, value in movement.items()}
        answer = {"type": "prediction", "decoder": name, "sequence_number": data["sequence_number"]}
        socket.send(json.dumps({**answer, **values}))
    socket.close()


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]), *map(int, sys.argv[5:]))
