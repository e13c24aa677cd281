"""Answers every packet with a prediction: the page then shows this decoder, and the server scores it.

pip install websocket-client msgpack
python answering.py --session demo
"""

import argparse
import contextlib
import json
import os
import sys

import msgpack
from websocket import WebSocketBadStatusException, create_connection

URL = f"ws://127.0.0.1:{os.environ.get('PHANTOM_PORT', 8000)}"
HEADERS = {"Authorization": f"Bearer {os.environ.get('PHANTOM_TOKEN')}"}  # if it wants one


def predict(counts: list[int], last: dict) -> dict:
    """Put your decoder here: it has the counts. This one says that the cursor is where it was a bin ago.

    x and y are in the recording's length unit, vx and vy per second. Send one pair or both.
    """
    return {"x": last["x"], "y": last["y"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=URL, help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    parser.add_argument("--name", default="my-decoder", help="under which it is shown and scored")
    options = parser.parse_args()

    socket = create_connection(f"{options.url}/stream/binary/{options.session}", header=HEADERS)
    received = answered = 0
    last = None  # kinematics of the newest bin that was observed
    while received < options.packets or not options.packets:
        packet = msgpack.unpackb(socket.recv())
        if packet["type"] == "error":
            print(f"The server says: {packet['detail']}", flush=True)
        if packet["type"] != "data":
            continue
        received += 1
        if last:
            values = predict(packet["spikes"]["spike_counts"], last)
            answer = {"type": "prediction", "sequence_number": packet["sequence_number"], **values}
            socket.send_binary(msgpack.packb({**answer, "decoder": options.name}))
            answered += 1
        if packet["kinematics"]["x"] is not None:
            last = packet["kinematics"]
    socket.close()
    print(f"{received} packets, {answered} answered")


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            main()
    except WebSocketBadStatusException as refusal:
        sys.exit(json.loads(refusal.resp_body)["detail"])
    except OSError as error:
        sys.exit(f"Nobody answers ({error}). Start serve.py, or say with --url where it is.")
