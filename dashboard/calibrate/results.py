"""What calibrations have come to, in words and tables."""

from __future__ import annotations

import math
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from dashboard.table import Row, act
from engine.calibration.frozen import LEVELS
from engine.errors import NotNow
from sessions.calibrations import Run
from sessions.rest.models.calibrations import CalibrationAnswer, R2Answer
from sessions.rest.models.scores import FloorAnswer, FloorsAnswer

UNKNOWN: Final = "\N{EN DASH}"
COMING: Final = "\N{HORIZONTAL ELLIPSIS}"
FLOORS: Final = {
    "no_spikes": "Floor: no spikes",
    "delayed_truth": "Floor: delayed truth",
    "shuffled_units": "Floor: shuffled units",
}
"""Titles by the fields of the answer."""
EARLIER: Final = ("Run", "Decoder", "Trials", *LEVELS)

DONE: Final = Markup(
    '<p class="actions">{}</p><p class="muted">{}</p>'
    '<p class="command"><code id="command">{}</code> '
    '<button type="button" data-copy="command">Copy</button></p>'
)
FILES: Final = {
    "Table (CSV)": "table.csv",
    "Figure (PNG)": "figure.png?width=1600",
    "Figure (SVG)": "figure.svg",
    "Model (npz)": "model.npz",
}


def called(key: str) -> str:
    """A decoder, in words."""
    return key.replace("_", " ")


def many(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def columns(unit: str) -> tuple[str, ...]:
    """Of the table by level."""
    return (
        "Perturbation",
        "R\N{SUPERSCRIPT TWO} velocity",
        "R\N{SUPERSCRIPT TWO} position",
        f"RMSE velocity ({unit}/s)",
        f"RMSE position ({unit})",
        "Answered",
    )


def levels(run: CalibrationAnswer) -> list[Row]:
    """One row a level, also of those that are to come."""
    rows = [Row(level, (level, *[COMING] * 5)) for level in LEVELS]
    for i, each in enumerate(run.table):
        measures = (
            sure(each.r2_velocity.mean, ends(each.r2_velocity)),
            sure(each.r2_position.mean, ends(each.r2_position)),
            rmse(each.rmse_velocity.mean),
            rmse(each.rmse_position.mean),
            f"{100 * each.coverage:.0f} %",
        )
        rows[i] = Row(each.level, (each.level, *measures))
    return rows + (floors(run.floors) if run.floors else [])


def floors(found: FloorsAnswer) -> list[Row]:
    """A quiet row each: what scores on the same trials, undisturbed, without reading the brain."""
    rows = []
    for name, title in FLOORS.items():
        floor: FloorAnswer = getattr(found, name)
        r2s = (
            sure(floor.r2_velocity, floor.r2_velocity_interval),
            sure(floor.r2_position, floor.r2_position_interval),
        )
        rows.append(Row(name, (title, *r2s, *[""] * 3), "floor"))
    return rows


def sure(value: float | None, interval: tuple[float, float] | None) -> Markup:
    """An R2, and the interval behind it."""
    if interval is None:
        return Markup("{}").format(r2(value))
    ends = f"{interval[0]:.2f} to {interval[1]:.2f}"
    return Markup("{} <small>{}</small>").format(r2(value), ends)


def earlier(run: CalibrationAnswer, shown: int | None) -> Row:
    """A run among all that the server keeps."""
    measured = [r2(each.r2_velocity.mean) for each in run.table]
    left = len(LEVELS) - len(measured)
    cells = (
        act("show", str(run.id), f"Show calibration {run.id}"),
        f"{called(run.decoder)} on {run.recording}",
        f"{len(run.split.train_trials)} / {len(run.split.test_trials)}",
        *measured,
        *["failed" if run.state == "failed" else COMING] * left,
        act("forget", "Delete", f"Delete calibration {run.id}"),
    )
    return Row(str(run.id), cells, "shown" if run.id == shown else "")


def step(run: Run) -> str:
    """What is being done."""
    if run.state == "fitting":
        epochs = f", epoch {run.step.done} of at most {run.step.most}" if run.step else ""
        trials = many(len(run.plan.split.train), "trial")
        return f"Fitting {called(run.plan.decoder)} to {trials}{epochs} {COMING}"
    level = LEVELS[min(len(run.scores), len(LEVELS) - 1)]
    return f"Testing it frozen on {many(len(run.plan.split.test), 'trial')}: {level} {COMING}"


def spell_split(run: CalibrationAnswer) -> str:
    """What was learned from, what it is tested on, and that they are apart."""
    split = run.split
    train = f"{many(len(split.train_trials), 'trial')} ({many(split.train_bins, 'bin')})"
    test = f"{many(len(split.test_trials), 'trial')} ({many(split.test_bins, 'bin')})"
    fitted = "" if run.fit_seconds is None else f" Fitted in {run.fit_seconds:.2g} s."
    chosen = "".join(f" Chosen: {called(each.name)} {each.value:g}." for each in run.choices)
    return (
        f"Learned from {train}, over {many(len(split.targets), 'target position')}; tested on {test}. "
        "Checked: no trial and no bin is in both, and no bin looks back out of its part." + fitted + chosen
    )


def done(run: CalibrationAnswer, mount: str, session: str | None) -> Markup:
    """Files of a run that is done, and how its model is used."""
    if run.state != "done":
        raise NotNow(f"Calibration {run.id} is {run.state}.")
    link = Markup('<a class="button" href="{}/api/calibrations/{}/{}" download="{}">{}</a>')
    links = Markup(" ").join(
        link.format(mount, run.id, file, run.model_file if file == "model.npz" else "", label)
        for label, file in FILES.items()
        if file != "model.npz" or run.model_file
    )
    return DONE.format(links, run.note, run.command.replace("CODE", session or "CODE"))


def back(mount: str, session: str) -> Markup:
    """The way to the session from which somebody has come."""
    return Markup('For session <a href="{}/live?session={}">{}</a>').format(mount, quote(session), session)


def ends(measure: R2Answer) -> tuple[float, float] | None:
    """Of the interval, if it is known."""
    return None if measure.low is None or measure.high is None else (measure.low, measure.high)


def r2(value: float | None) -> str:
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.3f}"


def rmse(value: float | None) -> str:
    """Three digits."""
    return UNKNOWN if value is None or math.isnan(value) else f"{value:#.3g}".rstrip(".")
