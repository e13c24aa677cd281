"""Draw what decoders are worth on the days after their training, frozen and adaptive.

Run from the top folder, it needs matplotlib: ``python -m tests.benchmarks.drift --part decoders --save
days.jsonl``, then ``python -m resources.guide.drift_figure days.jsonl``. Each point is the mean over seeds,
with its 95 % interval; the band is from the worst seed to the best.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from resources.guide.make_figures import BLUE, GREEN, ORANGE, STYLE

COLOURS: Final = (BLUE, ORANGE, GREEN, "#7a4fa3", "#5c6b7a", "#a33f5c")
DASHED: Final = "--"


def scenarios(lines: list[dict[str, Any]]) -> list[str]:
    """In the order in which they were run."""
    return list(dict.fromkeys(line["scenario"] for line in lines))


def main(source: Path) -> None:
    for group, values in STYLE.items():
        mpl.rc(group, **values)
    read = [json.loads(line) for line in source.read_text().splitlines()]
    lines = [line for line in read if line["what"] == "r2 over days"]
    names = scenarios(lines)
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    decoders = list(dict.fromkeys(line["decoder"] for line in lines))
    for i, decoder in enumerate(decoders):
        own = {line["scenario"]: line for line in lines if line["decoder"] == decoder}
        columns = ("r2_velocity", "low", "high", "least", "most")
        mean, low, high, least, most = np.array([[own[name][c] for c in columns] for name in names]).T
        x = np.arange(len(names)) + 0.06 * (i - (len(decoders) - 1) / 2)
        told = own[names[0]]["told_truth"]
        label = f"{decoder}, told the truth" if told else decoder
        colour = COLOURS[i % len(COLOURS)]
        axes.errorbar(
            x, mean, [mean - low, high - mean], color=colour, lw=2, capsize=3,
            ls=DASHED if told else "-", marker="o", ms=4, label=label,
        )  # fmt: skip
        axes.fill_between(x, least, most, color=colour, alpha=0.1, lw=0)
    axes.set(title=f"Recording {lines[0]['recording']}", ylabel="velocity R²", ylim=(-0.6, 1))
    axes.axhline(0, color="0.6", lw=0.8, ls=":")
    axes.set_xticks(range(len(names)), [name.replace("-", " ").replace(" by ", "\nby ") for name in names])
    axes.legend(loc="lower left")
    figure.savefig(Path(__file__).parent / "drift.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
