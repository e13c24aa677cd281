"""Receives the spike counts of a session through Lab Streaming Layer and prints once a second what arrives.

pip install pylsl websocket-client msgpack
python lsl_inlet.py --session demo
"""

import argparse
import contextlib
import sys

import pylsl
from phantom import PhantomError, ask  # the file beside this one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    options = parser.parse_args()

    # LSL finds streams by itself, but the session must exist. This makes it, or finds it if it is there.
    ask("POST", "/api/sessions", {"custom_code": options.session}, url=options.url)

    name = f"PhantomLink-Neural-{options.session}"
    found = pylsl.resolve_byprop("name", name, timeout=10)
    if not found:
        sys.exit(f"No stream {name} on this network: is LSL on, and is multicast let through?")
    inlet = pylsl.StreamInlet(found[0])
    info = inlet.info()
    rate = info.nominal_srate()
    print(f"{name}: {info.channel_count()} channels ({info.type()}) at {rate:g} Hz from {info.hostname()}")

    received = spikes = 0
    stamps: list[float] = []
    while received < options.packets or not options.packets:
        counts, stamp = inlet.pull_sample(timeout=10)  # the stamp is on the sender's clock
        if stamp is None:
            print("Nothing for 10 s: the session is paused, or at speed max, where LSL is silent.")
            continue
        received += 1
        spikes += sum(counts)
        stamps.append(stamp)
        if received % round(rate) == 0:
            measured = (len(stamps) - 1) / (stamps[-1] - stamps[0])
            late = pylsl.local_clock() - inlet.time_correction() - stamp  # on our clock
            print(f"{measured:.2f} Hz, {spikes} spikes, {1000 * late:.1f} ms after it was due", flush=True)
            spikes, stamps = 0, stamps[-1:]
    print(f"{received} packets")


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            main()
    except PhantomError as error:
        sys.exit(str(error))
