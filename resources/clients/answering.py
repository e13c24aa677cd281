"""Answers every packet with a prediction: the page then shows this decoder, and the server scores it.

pip install websocket-client msgpack
python answering.py --session demo
"""

import argparse
import contextlib
import sys

from phantom import Kinematics, PhantomError, deck  # the file beside this one


def predict(counts: list[int], last: Kinematics) -> tuple[float, float]:
    """Put your decoder here: it has the counts. This one says that the cursor is where it was a bin ago.

    x and y are in the recording's length unit. For velocities: `bin.answer(vx=..., vy=...)`.
    """
    return last.x, last.y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="address of the server's stream port")
    parser.add_argument("--session", default="demo", help="session code; one that is new is created")
    parser.add_argument("--packets", type=int, default=0, help="stop after so many (0: never)")
    parser.add_argument("--name", default="my-decoder", help="under which it is shown and scored")
    options = parser.parse_args()

    answered = 0
    last = None  # kinematics of the newest bin that was observed
    for received, bin in enumerate(deck(options.session, url=options.url, name=options.name), 1):
        if last:
            bin.answer(*predict(bin.counts, last))
            answered += 1
        if bin.kinematics.x is not None:
            last = bin.kinematics
        if received == options.packets:
            break
    print(f"{received} packets, {answered} answered")


if __name__ == "__main__":
    try:
        with contextlib.suppress(KeyboardInterrupt):
            main()
    except PhantomError as error:
        sys.exit(str(error))
