"""Stays with a session: reconnects by itself, ever more patiently, and reports what it missed.

pip install websocket-client msgpack
python reconnecting.py --session demo
"""

import argparse
import contextlib
import logging
import sys

from phantom import PhantomError, deck  # the file beside this one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)

    received, last = 0, None
    for bin in deck(options.session, url=options.url, patient=True):
        number = bin.sequence_number
        if bin.missed or (last is not None and number <= last):
            gap = f"{bin.missed} missed" if bin.missed else "a new session"
            print(f"packet {number} came after packet {last}: {gap}", flush=True)
        received, last = received + 1, number
        if received == options.packets:
            break
    print(f"{received} packets")


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            main()
    except PhantomError as error:
        sys.exit(str(error))
