"""How long `POST /decode` takes for an intention, and whether the velocity points where it does.

Usage: python -m tests.benchmarks.decode [CHANNELS ...]; 96 channels unless given. "Server" is what the
answer says that it took, "client" the whole request on a connection of its own, beside that of `/health` as
its floor. The model is made before; how long that takes is told, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks import Server, emit, server, spread

TIMES = 500
OWN = 96
"""Electrodes of a server."""


def post(port: int, body: object) -> Any:
    """The answer; None while it is made."""
    url = f"http://127.0.0.1:{port}/decode"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode())) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return None


def measure(deck: Server, n_channels: int, rng: np.random.Generator) -> None:
    """Directions for the electrodes that a server has unasked, modulations drawn at random for others."""
    began = time.perf_counter()
    while post(deck.port, {"movement_intention": rng.uniform(-1, 1, n_channels).tolist()}) is None:
        time.sleep(1.0)  # as `Retry-After` has it
    made = time.perf_counter() - began
    took, whole, floor, cosines = [], [], [], []
    for angle in rng.uniform(-np.pi, np.pi, TIMES):
        towards = np.array([np.cos(angle), np.sin(angle)])
        intention = towards if n_channels == OWN else rng.uniform(-1, 1, n_channels)
        began = time.perf_counter()
        answer = post(deck.port, {"movement_intention": intention.tolist()})
        whole.append(time.perf_counter() - began)
        took.append(answer["latency_ms"] / 1e3)
        velocity = np.array([answer["x_velocity"], answer["y_velocity"]])
        cosines.append(velocity @ towards / np.hypot(*velocity))
        began = time.perf_counter()
        deck.get("/health")
        floor.append(time.perf_counter() - began)
    pointed = {"cosine": float(np.mean(cosines))} if n_channels == OWN else {}
    emit(
        "decode",
        channels=n_channels,
        made_seconds=made,
        server_ms=spread(took),
        client_ms=spread(whole),
        floor_ms=spread(floor),
        **pointed,
    )


def main(channels: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as folder, server("--no-lsl", "--records", folder) as deck:
        time.sleep(15)  # until all is loaded, that of the first page too
        for n_channels in channels:
            measure(deck, n_channels, np.random.default_rng(0))


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [OWN])
