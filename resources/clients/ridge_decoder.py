"""Trains a ridge decoder on a recording that it streams once at full speed, and prints how good it is.

pip install websocket-client msgpack numpy
python ridge_decoder.py
"""

import argparse
import sys
from itertools import islice

import numpy as np
from phantom import Bin, PhantomError, ask, deck  # the file beside this one

HISTORY = 10  # bins: the present one and the nine before it
RIDGE = 100.0  # how strongly large weights are punished
TRAIN = 0.8  # of the bins; the last ones are held out


def stream(url: str | None, code: str | None) -> list[Bin]:
    """Every bin of the recording, once."""
    wanted = {"speed": "max", "loop": False} | ({"custom_code": code} if code else {})
    code = ask("POST", "/api/sessions", wanted, url=url)["session_code"]
    bins = deck(code, url=url, queue="lossless").connect()
    if bins.metadata["total_packets"] is None:
        bins.close()
        ask("DELETE", f"/api/sessions/{code}?force=true", url=url)
        raise PhantomError("This server's sessions have no end. Start it with --source recording.")
    read = list(islice(bins, bins.metadata["total_packets"]))
    bins.close()
    ask("DELETE", f"/api/sessions/{code}?force=true", url=url)
    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="address of the server's stream port")
    parser.add_argument("--session", help="code of a new session (default: the server makes one up)")
    options = parser.parse_args()
    bins = stream(options.url, options.session)
    counts = np.array([bin.counts for bin in bins], float)
    truth = np.array([bin.kinematics for bin in bins], float)  # x, y, vx, vy; NaN where missing

    run = [0]  # how many observed bins end here that follow each other in the recording
    for before, bin in zip([bins[0], *bins], bins, strict=False):
        follows = bin.packet["packet_id"] == before.packet["packet_id"] + 1
        run.append((run[-1] * follows + 1) * bin.packet["observed"])
    rows = np.flatnonzero((np.array(run[1:]) >= HISTORY) & np.isfinite(truth).all(axis=1))
    x, y, n = np.hstack([counts[rows - lag] for lag in range(HISTORY)]), truth[rows], int(TRAIN * len(rows))

    x, y = x - x[:n].mean(axis=0), y - y[:n].mean(axis=0)
    weights = np.linalg.solve(x[:n].T @ x[:n] + RIDGE * np.eye(x.shape[1]), x[:n].T @ y[:n])
    r2 = 1 - ((y[n:] - x[n:] @ weights) ** 2).mean(axis=0) / y[n:].var(axis=0)
    print(f"{len(bins)} bins streamed, {len(rows)} of them with {HISTORY} observed bins of history")
    print(f"held-out R² of velocity {r2[2:].mean():.3f}, of position {r2[:2].mean():.3f}")


if __name__ == "__main__":
    try:
        main()
    except PhantomError as error:
        sys.exit(str(error))
