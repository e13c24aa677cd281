"""What a visitor of the Explore page can choose, and the form that asks for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import param

from engine.analysis import split_names
from engine.bins.trials import TrialEvent, event_time
from engine.errors import BadSetting
from engine.sources.recordings.recording import Recording

EVENTS: dict[TrialEvent, str] = {
    "target_on": "Target on",
    "go_cue": "Go cue",
    "move_onset": "Movement onset",
    "start": "Start of the trial",
    "stop": "End of the trial",
}
PREFERRED_EVENTS: tuple[TrialEvent, ...] = ("move_onset", "go_cue", "target_on", "start")


class Settings(param.Parameterized):
    """One declaration gives bounds, labels and controls.

    `for_recording` narrows the choices to what a recording has.
    """

    event: Any = param.Selector(default="start", objects=list(EVENTS), label="Align to")
    split: Any = param.Selector(default="", objects=[""], label="Split by")
    unit: Any = param.Selector(default=0, objects=[0], label="Unit")
    before = param.Number(default=0.2, bounds=(0.0, 5.0), step=0.1, label="Before (s)")
    after = param.Number(default=0.6, bounds=(0.1, 10.0), step=0.1, label="After (s)")
    bins_per_step: Any = param.Selector(default=1, objects=[1, 2, 4, 8], label="Bin width")
    smoothing: Any = param.Selector(
        default=0.05, objects=[0.0, 0.025, 0.05, 0.1, 0.2], label="Smoothing, sd"
    )
    trials = param.String(default="", label="Trials")

    def change(self, asked: dict[str, Any]) -> None:
        """Take new values, all or none.

        Raises
        ------
        BadSetting
            If a value is not one of those offered.
        """
        for name, value in asked.items():
            declared = self.param.objects().get(name)
            match declared:
                case param.Selector():
                    fits, rule = value in declared.objects, "is one of those offered"
                case param.Number():
                    low, high = bounds_of(declared)
                    fits = isinstance(value, (int, float)) and low <= value <= high
                    rule = f"lies between {low:g} and {high:g}"
                case _:
                    fits, rule = name == "trials" and isinstance(value, str), "is a text"
            if not fits:
                raise BadSetting(f"{declared.label if declared else name} {rule}; {value!r} does not.")
        self.param.update(**asked)


def for_recording(recording: Recording) -> Settings:
    """The settings of a page that has just been opened."""
    settings = Settings()  # type: ignore[no-untyped-call]
    settings.param["split"].objects = list(split_names(recording))
    settings.param["unit"].objects = list(range(recording.n_units))
    events = (event for event in PREFERRED_EVENTS if has_event(recording, event))
    has_target = any(math.isfinite(trial.target_x) for trial in recording.trials)
    event: TrialEvent = next(events, "start")
    before, after = window(recording, event)
    split = "target" if has_target else ""
    settings.param.update(event=event, split=split, before=before, after=after)
    return settings


def window(recording: Recording, event: TrialEvent) -> tuple[float, float]:
    """Seconds before and after an event that most trials last, within reason, in tenths."""
    trials = [trial for trial in recording.trials if math.isfinite(event_time(trial, event))]
    if not trials:
        return 0.2, 0.6
    before = np.median([event_time(trial, event) - trial.start_time for trial in trials])
    after = np.quantile([trial.stop_time - event_time(trial, event) for trial in trials], 0.9)
    return float(np.clip(round(before, 1), 0.1, 0.5)), float(np.clip(round(after, 1), 0.3, 1.5))


def bounds_of(number: Any) -> tuple[float, float]:
    """Of a number that was declared with both."""
    low, high = number.bounds
    return low, high


def has_event(recording: Recording, event: TrialEvent) -> bool:
    """Whether any trial has it."""
    return any(math.isfinite(event_time(trial, event)) for trial in recording.trials)


@dataclass(frozen=True)
class Field:
    """A control: a select if there are options, as (value, text); else a number."""

    name: str
    label: str
    value: Any
    options: tuple[tuple[Any, str], ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0


def fields(settings: Settings, recording: Recording) -> Iterator[Field]:
    """The form's controls; the trials have one of their own."""
    width = 1e3 * recording.bin_width
    spell: dict[str, Callable[[Any], str]] = {
        "event": lambda event: EVENTS[event] + ("" if has_event(recording, event) else ": none"),
        "split": lambda name: split_names(recording)[name],
        "unit": lambda unit: recording.channel_names[unit],
        "bins_per_step": lambda n: f"{n * width:g} ms",
        "smoothing": lambda seconds: f"{1e3 * seconds:g} ms" if seconds else "none",
    }
    for name in ("event", "split", "unit", "bins_per_step", "smoothing", "before", "after"):
        declared, value = settings.param[name], getattr(settings, name)
        if name in spell:
            options = tuple((each, spell[name](each)) for each in declared.objects)
            yield Field(name, f"{declared.label}", value, options)
        else:
            low, high = bounds_of(declared)
            yield Field(name, f"{declared.label}", value, (), low, high, declared.step)
