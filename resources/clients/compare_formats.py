"""Compares the stream's formats: bytes per packet, and the time that decoding one takes.

pip install websocket-client msgpack
python compare_formats.py --session demo
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence

import msgpack
from websocket import WebSocketBadStatusException, create_connection

FORMATS = {
    "JSON": ("format=json", json.loads),
    "MessagePack full": ("format=msgpack&layout=full", msgpack.unpackb),
    "MessagePack flat": ("format=msgpack&layout=flat", msgpack.unpackb),
    "MessagePack compact": ("format=msgpack&layout=compact", msgpack.unpackb),
}
URL = f"ws://127.0.0.1:{os.environ.get('PHANTOM_PORT', 8000)}"
HEADERS = {"Authorization": f"Bearer {os.environ.get('PHANTOM_TOKEN')}"}  # if it wants one


def decode_time(decode: Callable, packets: Sequence[bytes | str]) -> float:
    """Seconds per packet, in the least disturbed of some repeats."""
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for packet in packets:
            decode(packet)
        best = min(best, time.perf_counter() - began)
    return best / len(packets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=URL, help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=120, help="how many of each to compare")
    options = parser.parse_args()

    # Four decoders on one session get the same bins, each in the format that it asked for.
    address = f"{options.url}/stream/{options.session}"
    sockets = [create_connection(f"{address}?{query}", header=HEADERS) for query, _ in FORMATS.values()]
    for socket in sockets:
        socket.recv()  # the metadata
    rounds = [[socket.recv() for socket in sockets] for _ in range(options.packets)]
    for socket in sockets:
        socket.close()

    received = dict(zip(FORMATS, zip(*rounds, strict=True), strict=True))
    json_size = sum(map(len, received["JSON"]))
    print(f"{options.packets} packets          bytes each   of JSON   decoding one")
    for name, packets in received.items():
        size, took = sum(map(len, packets)), decode_time(FORMATS[name][1], packets)
        print(f"{name:20} {size / options.packets:10.0f} {size / json_size:9.0%} {1e6 * took:11.1f} us")


if __name__ == "__main__":
    try:
        main()
    except WebSocketBadStatusException as refusal:
        sys.exit(json.loads(refusal.resp_body)["detail"])
    except OSError as error:
        sys.exit(f"Nobody answers ({error}). Start serve.py, or say with --url where it is.")
