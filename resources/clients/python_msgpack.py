"""Receives a session over WebSocket as MessagePack and prints once a second what arrives.

pip install websocket-client msgpack
python python_msgpack.py --session demo
"""

import argparse
import contextlib
import sys
import time

from phantom import PhantomError, deck  # the file beside this one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    options = parser.parse_args()

    bins = deck(options.session, url=options.url).connect()
    rate, unit = bins.metadata["frequency_hz"], bins.metadata["length_unit"]
    print(f"{bins.metadata['dataset']}: {bins.metadata['num_channels']} units, {rate:g} bins per second")

    spikes = missed = 0
    for received, bin in enumerate(bins, 1):
        if received == 1:
            began = time.perf_counter()
        spikes += sum(bin.counts)
        missed += bin.missed
        if received % round(rate) == 0:
            took = time.perf_counter() - began
            x, y, _, _ = bin.kinematics
            cursor = "not observed" if x is None or y is None else f"at ({x:.1f}, {y:.1f}) {unit}"
            print(
                f"packet {bin.sequence_number}: {(received - 1) / took:.2f} Hz, {missed} missed, "
                f"{spikes} spikes, trial {bin.trial_id}, cursor {cursor}",
                flush=True,
            )
            spikes = 0
        if received == options.packets:
            break
    print(f"{received} packets")


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            main()
    except PhantomError as error:
        sys.exit(str(error))
