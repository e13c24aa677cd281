"""What a visitor of the Explore page can choose: Panel makes widgets of it, and keeps it in the address."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param

from dashboard.explore.study import NOTHING, Study
from engine.analysis import split_names
from engine.bins.trials import TrialEvent, event_time
from engine.sources.recordings.recording import Recording

EVENTS: dict[TrialEvent, str] = {
    "target_on": "Target on",
    "go_cue": "Go cue",
    "move_onset": "Movement onset",
    "start": "Start of the trial",
    "stop": "End of the trial",
}
PREFERRED_EVENTS: tuple[TrialEvent, ...] = ("move_onset", "go_cue", "target_on", "start")
SMOOTHING = {"none": 0.0, "25 ms": 0.025, "50 ms": 0.05, "100 ms": 0.1, "200 ms": 0.2}
STEPS = (1, 2, 4, 8)


class Choice(param.Selector):  # type: ignore[type-arg]
    """One of several values, of their type: to Python 1, 1.0 and True are the same."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if type(val) not in {type(each) for each in self.objects}:
            raise ValueError(f"{self.label} is {val!r}, which is of another type than its choices")


class Text(param.String):  # type: ignore[type-arg]
    """A text, also where an address seems to hold a number."""

    @classmethod
    def deserialize(cls, value: Any) -> str:
        return str(value)


class Controls(param.Parameterized):
    """One declaration gives bounds, labels, widgets, and what the address may say.

    `for_study` narrows the choices to what a recording has.
    """

    unit: Any = Choice(default=0, objects=[0], label="Unit")
    event: Any = Choice(default="start", objects=list(EVENTS), label="Align to")
    split: Any = Choice(default=NOTHING, objects=[NOTHING], label="Split by")
    before = param.Number(default=0.2, bounds=(0.0, 5.0), step=0.1, label="Before (s)")
    after = param.Number(default=0.6, bounds=(0.1, 10.0), step=0.1, label="After (s)")
    bins_per_step: Any = Choice(default=1, objects=list(STEPS), label="Bin width")
    smoothing: Any = Choice(default=0.05, objects=SMOOTHING, label="Smoothing, sd")
    groups: Any = param.ListSelector(default=[], objects=[], label="Groups")
    trials = Text(default="", label="Trials, such as 1-20, 45")


def for_study(study: Study) -> Controls:
    """The controls of a page that has just been opened: at the unit that is tuned best."""
    recording = study.recording
    event: TrialEvent = next((each for each in PREFERRED_EVENTS if has_event(recording, each)), "start")
    before, after = window(recording, event)
    width = 1e3 * recording.bin_width
    by = "target" if any(math.isfinite(trial.target_x) for trial in recording.trials) else NOTHING
    controls = Controls()
    choices: dict[str, tuple[dict[str, Any], Any]] = {
        "unit": (named(recording.channel_names), study.best_tuned),
        "event": ({spell_event(recording, each): each for each in EVENTS}, event),
        "split": ({name: key or NOTHING for key, name in split_names(recording).items()}, by),
        "bins_per_step": ({f"{n * width:g} ms": n for n in STEPS}, 1),
    }
    for name, (objects, value) in choices.items():
        controls.param[name].objects = objects
        setattr(controls, name, value)
    controls.param.update(before=before, after=after)
    return controls


def named(names: tuple[str, ...]) -> dict[str, int]:
    """Units by name; files may give one name to several."""
    found: dict[str, int] = {}
    for unit, name in enumerate(names):
        found[f"{name} ({unit})" if name in found else name] = unit
    return found


def spell_event(recording: Recording, event: TrialEvent) -> str:
    """An event's name, and whether there is none."""
    return EVENTS[event] + ("" if has_event(recording, event) else ": none")


def has_event(recording: Recording, event: TrialEvent) -> bool:
    """Whether any trial has it."""
    return any(math.isfinite(event_time(trial, event)) for trial in recording.trials)


def window(recording: Recording, event: TrialEvent) -> tuple[float, float]:
    """Seconds before and after an event that most trials last, within reason, in tenths."""
    trials = [trial for trial in recording.trials if math.isfinite(event_time(trial, event))]
    if not trials:
        return 0.2, 0.6
    before = np.median([event_time(trial, event) - trial.start_time for trial in trials])
    after = np.quantile([trial.stop_time - event_time(trial, event) for trial in trials], 0.9)
    return float(np.clip(round(before, 1), 0.1, 0.5)), float(np.clip(round(after, 1), 0.3, 1.5))
