"""Trains a ridge decoder on a recording that it streams once at full speed, and prints how good it is.

pip install websocket-client msgpack numpy
python ridge_decoder.py
"""

import argparse
import json
import os
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgpack
import numpy as np
from websocket import create_connection

HISTORY = 10  # bins: the present one and the nine before it
RIDGE = 100.0  # how strongly large weights are punished
TRAIN = 0.8  # of the bins; the last ones are held out
URL = f"ws://127.0.0.1:{os.environ.get('PHANTOM_PORT', 8000)}"
HEADERS = {"Authorization": f"Bearer {os.environ.get('PHANTOM_TOKEN')}"}  # if it wants one


def stream(url: str, code: str | None) -> tuple[dict, list[dict]]:
    """Metadata, and every bin of the recording once, in the compact layout."""
    api = url.replace("ws", "http", 1) + "/api/sessions"
    wanted = {"speed": "max", "loop": False} | ({"custom_code": code} if code else {})
    body, headers = json.dumps(wanted).encode(), {"Content-Type": "application/json", **HEADERS}
    code = json.load(urlopen(Request(f"{api}/create", body, headers)))["session_code"]
    socket = create_connection(f"{url}/stream/binary/{code}?layout=compact&queue=lossless", header=HEADERS)
    metadata = msgpack.unpackb(socket.recv())
    packets = [msgpack.unpackb(socket.recv()) for _ in range(metadata["total_packets"])]
    socket.close()
    urlopen(Request(f"{api}/{code}?force=true", headers=HEADERS, method="DELETE")).close()
    return metadata, packets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=URL, help="address of the server's stream port")
    parser.add_argument("--session", help="code of a new session (default: the server makes one up)")
    options = parser.parse_args()
    metadata, packets = stream(options.url, options.session)
    counts = np.array([np.frombuffer(packet["c"], metadata["count_dtype"]) for packet in packets], float)
    truth = np.array([np.frombuffer(packet["k"], "<f4") for packet in packets], float)  # x, y, vx, vy

    run = [0]  # how many observed bins end here that follow each other in the recording
    for before, packet in zip([packets[0], *packets], packets, strict=False):
        run.append((run[-1] * (packet["p"] == before["p"] + 1) + 1) * (packet["f"] & 1))
    rows = np.flatnonzero((np.array(run[1:]) >= HISTORY) & np.isfinite(truth).all(axis=1))
    x, y, n = np.hstack([counts[rows - lag] for lag in range(HISTORY)]), truth[rows], int(TRAIN * len(rows))

    x, y = x - x[:n].mean(axis=0), y - y[:n].mean(axis=0)
    weights = np.linalg.solve(x[:n].T @ x[:n] + RIDGE * np.eye(x.shape[1]), x[:n].T @ y[:n])
    r2 = 1 - ((y[n:] - x[n:] @ weights) ** 2).mean(axis=0) / y[n:].var(axis=0)
    print(f"{len(packets)} bins streamed, {len(rows)} of them with {HISTORY} observed bins of history")
    print(f"held-out R² of velocity {r2[2:].mean():.3f}, of position {r2[:2].mean():.3f}")


if __name__ == "__main__":
    try:
        main()
    except HTTPError as refusal:
        sys.exit(json.load(refusal)["detail"])
    except OSError as error:
        sys.exit(f"Nobody answers ({error}). Start serve.py, or say with --url where it is.")
