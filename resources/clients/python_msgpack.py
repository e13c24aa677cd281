"""Receives a session over WebSocket as MessagePack and prints once a second what arrives.

pip install websocket-client msgpack
python python_msgpack.py --session demo
"""

import argparse
import contextlib
import json
import os
import sys
import time

import msgpack
from websocket import WebSocketBadStatusException, create_connection

URL = f"ws://127.0.0.1:{os.environ.get('PHANTOM_PORT', 8000)}"
HEADERS = {"Authorization": f"Bearer {os.environ.get('PHANTOM_TOKEN')}"}  # if it wants one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=URL, help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    options = parser.parse_args()

    socket = create_connection(f"{options.url}/stream/binary/{options.session}", header=HEADERS)
    # The first message describes the recording; each one after it is a bin of spike counts.
    metadata = msgpack.unpackb(socket.recv())
    rate, unit = metadata["frequency_hz"], metadata["length_unit"]
    print(f"{metadata['dataset']}: {metadata['num_channels']} units, {rate:g} bins per second")

    received = spikes = 0
    began = time.perf_counter()
    while received < options.packets or not options.packets:
        packet = msgpack.unpackb(socket.recv())
        if packet["type"] != "data":
            continue
        if not received:
            began, first = time.perf_counter(), packet["sequence_number"]
        received += 1
        spikes += sum(packet["spikes"]["spike_counts"])

        if received % round(rate) == 0:
            took = time.perf_counter() - began
            missed = packet["sequence_number"] - first + 1 - received
            x, y = packet["kinematics"]["x"], packet["kinematics"]["y"]
            cursor = "not observed" if x is None or y is None else f"at ({x:.1f}, {y:.1f}) {unit}"
            print(
                f"packet {packet['sequence_number']}: {(received - 1) / took:.2f} Hz, {missed} missed, "
                f"{spikes} spikes, trial {packet['trial_id']}, cursor {cursor}",
                flush=True,
            )
            spikes = 0
    socket.close()
    print(f"{received} packets")


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            main()
    except WebSocketBadStatusException as refusal:
        sys.exit(json.loads(refusal.resp_body)["detail"])
    except OSError as error:
        sys.exit(f"Nobody answers ({error}). Start serve.py, or say with --url where it is.")
