"""What 2,000 packets of a real recording were, in every layout: written by this module, kept in a file.

``python -m tests.sessions.packets_kept`` writes the file anew, after a change that means to change packets.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.readers import read
from sessions.options import Options
from sessions.store import Store
from tests.given import given
from tests.sessions.streaming import Packet, Served, streaming

KEPT: Final = Path(__file__).with_suffix(".json")
N_PACKETS: Final = 2000
BLOCK: Final = 100
LAYOUTS: Final = {
    "json": "/stream/{}?queue=lossless",
    **{
        name: f"/stream/binary/{{}}?queue=lossless&layout={name}"
        for name in ("full", "flat", "enveloped", "compact")
    },
}
FLOATS: Final = ("x", "y", "vx", "vy", "target_x", "target_y", "distance_to_target", "trial_time_ms")
UNTOLD: Final = ("timestamp", "t", "dropped", "d")
"""What differs from one time to the next."""

Floats = npt.NDArray[np.float64]


def without_floats(value: Any) -> Any:
    """A message with a mark for every float, and nothing for what differs each time."""
    if isinstance(value, dict):
        return {name: without_floats(each) for name, each in value.items() if name not in UNTOLD}
    if isinstance(value, list):
        return [without_floats(each) for each in value]
    if isinstance(value, bytes):
        return value.hex()
    return "float" if isinstance(value, float) else value


def floats_of(packet: Packet) -> list[float]:
    """Its floats in the order of `FLOATS`, NaN where missing."""
    if "k" in packet:
        k, g = np.frombuffer(packet["k"], np.float32), np.frombuffer(packet["g"], np.float32)
        return [*k.tolist(), *g[1:].tolist(), math.nan if packet["m"] is None else packet["m"]]
    data = packet.get("data", packet)
    named = {**data["kinematics"], **data["intention"], "trial_time_ms": data["trial_time_ms"]}
    return [math.nan if named[name] is None else named[name] for name in FLOATS]


def discrete(packet: Packet) -> str:
    """All of it but its floats, as text; of `compact`, which packs its floats, where they are missing."""
    if "k" in packet:
        missing = [math.isnan(value) for value in floats_of(packet)]
        target = float(np.frombuffer(packet["g"], np.float32)[0])
        packet = {**packet, "k": missing, "g": None if math.isnan(target) else int(target)}
    return json.dumps(without_floats(packet), sort_keys=True)


def play(served: Served, layout: str) -> tuple[str, Floats]:
    """A digest of 2,000 packets in a layout, and sums of their floats.

    Returns
    -------
    digest : str
    floats : ndarray of float64, shape (n_blocks, 8)
        Of blocks of 100 packets, in the order of `FLOATS`, what is missing counted as 0.
    """
    code = f"kept-{layout}"
    options = Options(seed=7, speed="max", perturbation={"preset": "extreme"})
    served.store.create(code, options)
    decoder = served.decoder(LAYOUTS[layout].format(code))
    digest = hashlib.sha256()
    floats = []
    for _ in range(N_PACKETS):
        packet = decoder.read()
        digest.update(discrete(packet).encode())
        floats.append(floats_of(packet))
    served.store.delete(code)
    return digest.hexdigest(), np.nan_to_num(floats).reshape(-1, BLOCK, len(FLOATS)).sum(axis=1)


def deck() -> Store:
    return Store({"reach98": read(given("reach98.nwb"), 40.0)})


def main() -> None:
    with streaming(deck()) as served:
        made = {layout: play(served, layout) for layout in LAYOUTS}
    kept = {
        "digests": {layout: digest for layout, (digest, _) in made.items()},
        "floats": made["json"][1].tolist(),
    }
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
