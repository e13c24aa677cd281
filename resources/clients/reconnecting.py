"""Stays with a session: reconnects by itself, ever more patiently, and reports what it missed.

pip install websocket-client msgpack
python reconnecting.py --session demo
"""

import argparse
import contextlib
import os
import random
import time

import msgpack
from websocket import ABNF, WebSocketException, create_connection

SHORTEST, LONGEST = 0.25, 8.0  # seconds between two attempts
SILENCE = 30  # seconds; the server pings every 20, so after this much silence it is gone
DELETED = b"\x03\xe8"  # close code 1000: the session was deleted, and to come back would make a new one
URL = f"ws://127.0.0.1:{os.environ.get('PHANTOM_PORT', 8000)}"
HEADERS = {"Authorization": f"Bearer {os.environ.get('PHANTOM_TOKEN')}"}  # if it wants one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=URL, help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    options = parser.parse_args()
    url = f"{options.url}/stream/binary/{options.session}"

    received, last, wait = 0, None, SHORTEST
    while received < options.packets or not options.packets:
        try:
            with contextlib.closing(create_connection(url, SILENCE, header=HEADERS)) as socket:
                print("connected", flush=True)
                while received < options.packets or not options.packets:
                    opcode, data = socket.recv_data()
                    if opcode == ABNF.OPCODE_CLOSE:
                        break
                    packet = msgpack.unpackb(data)
                    if packet["type"] == "data":
                        number = packet["sequence_number"]
                        if last is not None and number != last + 1:
                            gap = f"{number - last - 1} missed" if number > last else "a new session"
                            print(f"packet {number} came after packet {last}: {gap}", flush=True)
                        received, last, wait = received + 1, number, SHORTEST
            if opcode != ABNF.OPCODE_CLOSE or data[:2] == DELETED:
                break
            reason = data[2:].decode()
        except (OSError, WebSocketException) as error:
            reason = str(error)[:100]
        delay = wait * random.uniform(0.5, 1)  # so that a hundred clients do not come back at once
        wait = min(2 * wait, LONGEST)
        print(f"disconnected: {reason}; next attempt in {delay:.2f} s", flush=True)
        time.sleep(delay)
    print(f"{received} packets")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
