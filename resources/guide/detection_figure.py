"""Draw how many spikes are found, and how many of the found ones are true: by threshold, noise and drift.

Run it from the top folder: ``python -m resources.guide.detection_figure``. It needs matplotlib, and takes a
minute. Each point is the mean of `SEEDS` arrays of 32 channels and 10 s; the band is from the least to the
most of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.broadband import SAMPLING_RATE
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.truth import match
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from resources.guide.make_figures import BLUE, GREEN, ORANGE, STYLE

N_CHANNELS, SECONDS, SEEDS = 32, 10, range(5)
THRESHOLDS: Final = (3.0, 3.5, 4.0, 4.5, 5.0, 5.5)
DRAWN: Final = {3.5: ORANGE, 4.0: BLUE, 4.5: GREEN}
NOISES: Final = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Times the default noise of tissue and amplifier."""
DRIFTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)

Shares = npt.NDArray[np.float64]


def found(ks: tuple[float, ...], seed: int, **settings: Any) -> Shares:
    """Recall and precision at each threshold, of the same voltages but their first second; shape (n, 2)."""
    array = ElectrodeArray(Electrodes(n_channels=N_CHANNELS, seed=seed, **settings))
    detectors = [Detector(N_CHANNELS, array.settings.microvolts_per_count, Detection(k=k)) for k in ks]
    true: list[Any] = []
    seen: list[list[Any]] = [[] for _ in ks]
    for _ in range(SECONDS + 1):
        block = array.read(SAMPLING_RATE)
        true.append((block.spikes.samples, array.channels[block.spikes.units]))
        for each, detector in zip(seen, detectors, strict=True):
            waveforms = detector.process(block.voltages).waveforms
            each.append((waveforms.troughs, waveforms.channels))
    scored = [match(*inside(true), *inside(each), N_CHANNELS) for each in seen]
    return np.array([[each.recall_in_all, each.precision_in_all] for each in scored])


def inside(blocks: list[Any]) -> tuple[Any, Any]:
    """Troughs from the second second on, but for the last 0.1 s, whose waveforms may not be complete."""
    samples, channels = (np.concatenate(column) for column in zip(*blocks, strict=True))
    kept = (samples >= SAMPLING_RATE) & (samples < (SECONDS + 0.9) * SAMPLING_RATE)
    return samples[kept], channels[kept]


def over_seeds(ks: tuple[float, ...], **settings: Any) -> Shares:
    """Shape (n_seeds, n_thresholds, 2)."""
    return np.array([found(ks, seed, **settings) for seed in SEEDS])


def draw(axes: Axes, x: tuple[float, ...], shares: Shares, colour: str, label: str) -> None:
    """Recall (solid) and precision (dashed); `shares` has shape (n_seeds, n, 2)."""
    for measure, style in enumerate(("-", "--")):
        values = shares[..., measure]
        axes.plot(x, values.mean(axis=0), style, color=colour, lw=2, label=label if measure == 0 else None)
        axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15, lw=0)


def main() -> None:
    for group, values in STYLE.items():
        mpl.rc(group, **values)
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    by_k, by_noise, by_drift = figure.subplots(1, 3, sharey=True)
    shares = over_seeds(THRESHOLDS)
    draw(by_k, THRESHOLDS, shares, BLUE, "")
    for k, (recall, precision) in zip(THRESHOLDS, shares.mean(axis=0), strict=True):
        sys.stdout.write(f"k {k}: recall {recall:.2f}, precision {precision:.2f}\n")
    ks = tuple(DRAWN)
    usual = Electrodes()
    noisier = [over_seeds(ks, pink=usual.pink * n, thermal=usual.thermal * n) for n in NOISES]
    drifting = [over_seeds(ks, drift=drift) for drift in DRIFTS]
    for column, (k, colour) in enumerate(DRAWN.items()):
        for axes, x, points in ((by_noise, NOISES, noisier), (by_drift, DRIFTS, drifting)):
            draw(axes, x, np.stack([each[:, column] for each in points], axis=1), colour, f"k {k}")
    by_k.set(title="By threshold", xlabel="k, times the noise", ylabel="share of spikes", ylim=(0, 1.02))
    by_noise.set(title="By noise", xlabel="times the default noise")
    by_drift.set(title="By drift", xlabel="change of amplitude, as a share")
    for measure, name in enumerate(("recall", "precision")):
        height = shares[:, -1, measure].mean()
        by_k.annotate(
            name, (THRESHOLDS[-1], height), (0, -16), textcoords="offset points", color=BLUE, ha="right"
        )
    by_noise.legend(loc="lower left")
    figure.savefig(Path(__file__).parent / "detection.png", dpi=120)


if __name__ == "__main__":
    main()
