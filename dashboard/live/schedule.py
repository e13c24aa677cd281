"""Perturbations over time: the timetable of a session, step by step and as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, attempt, button, fields, stack
from dashboard.live.perturbation import SWITCH, title
from dashboard.live.task import Task
from dashboard.table import ACTIONS, Row, Table, act
from engine.errors import BadSetting
from engine.stages.perturb import ALL_PRESETS, MODELS
from engine.stages.perturb.base import Model
from engine.stages.perturb.scenarios import PACE, SCENARIOS
from engine.stages.perturb.timetable import Step
from sessions.rest.reading import checked
from sessions.rest.tuning import TimetableAsk
from sessions.session import Session

CLOCK: Final = re.compile(r"(\d{1,5}):([0-5]?\d(?:\.\d{1,3})?)")


class Scheduling(Controls):
    """Has perturbations change at seconds of the session."""

    at = param.String(default="0:00", label="At, minute:second")
    what: Any = param.Selector(default="light", objects=["light"], label="Preset or model")
    strength = param.String(default="", label="Strength")
    text = param.String(default="", label="As JSON, with all parameters")

    def __init__(self, session: Session) -> None:
        self._known: tuple[Step, ...] | None = None
        self._task = Task()
        self._steps = Table(("At", "What", "Strength", ACTIONS), hear=self._hear)
        super().__init__(session)

    def declare(self) -> None:
        presets = {f"{title(name)} (preset)": name for name in ALL_PRESETS}
        scenarios = {f"{SCENARIOS[name].title} (scenario)": name for name in SCENARIOS}
        models = {_label(model.key): model.key for model in MODELS}
        self.param.what.objects = {**presets, **scenarios, **models}

    def follow(self) -> None:
        steps = self.session.replay.timetable
        if steps != self._known:  # what a person is typing stays until there are others
            self._known = steps
            self._take(self, {"text": json.dumps([asdict(step) for step in steps], indent=1)})
            self._steps.fill([_row(i, step) for i, step in enumerate(steps)])

    def view(self) -> Viewable:
        widgets = pn.widgets
        form = fields(
            widgets.TextInput.from_param(self.param.at),
            widgets.Select.from_param(self.param.what),
            widgets.TextInput.from_param(self.param.strength, placeholder="of a model; 0 is off"),
            button("Add", self._add),
        )
        return stack(
            self._steps,
            form,
            widgets.TextAreaInput.from_param(self.param.text, rows=6, css_classes=["code"]),
            fields(
                button("Apply", self._apply),
                button("Restart from zero", self._restart),
            ),
        )

    def _restart(self) -> None:
        self._task.start("", self.session.restart, lambda _: None)  # which waits for the last scores

    def _add(self) -> None:
        at = parse_clock(self.at)
        if self.what in SCENARIOS:
            added = SCENARIOS[self.what].steps(pace_of(self.strength), at)
        else:
            added = [Step(at, asked(self.what, self.strength))]
        self._set_steps([*self.session.replay.timetable, *added])

    def _hear(self, what: str, key: str) -> None:
        if what == "remove":
            steps = [step for i, step in enumerate(self.session.replay.timetable) if str(i) != key]
            attempt(lambda: self._set_steps(steps))

    def _apply(self) -> None:
        try:
            steps = json.loads(self.text.strip() or "[]")
        except ValueError:
            raise BadSetting('That is no JSON. Write [{"at": 120, "perturbation": {…}}], or [].') from None
        timetable = checked(TimetableAsk, {"steps": steps})
        self._set_steps([step.step() for step in timetable.steps])

    def _set_steps(self, steps: Sequence[Step]) -> None:
        checked(TimetableAsk, {"steps": [asdict(step) for step in steps]})
        self.session.replay.set_timetable(steps)


def parse_clock(text: str) -> float:
    """Seconds of minute:second.

    Raises
    ------
    BadSetting
        If it cannot be read.
    """
    found = CLOCK.fullmatch(text.strip())
    if not found:
        raise BadSetting(f"{text.strip()[:40]!r} is no time. Write minute:second, such as 2:30.")
    return 60.0 * int(found[1]) + float(found[2])


def spell_clock(seconds: float) -> str:
    """The shortest text for seconds, as minute:second."""
    minutes, rest = divmod(round(seconds, 3), 60)
    return (
        f"{minutes:.0f}:{rest:06.3f}".rstrip("0").rstrip(".") if rest % 1 else f"{minutes:.0f}:{rest:02.0f}"
    )


def pace_of(strength: str) -> float:
    """Seconds of each part of a scenario, by the field of strength.

    Raises
    ------
    BadSetting
        If it is no number of seconds.
    """
    try:
        seconds = float(strength.strip() or PACE)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise BadSetting(
            f"{strength.strip()[:40]!r} are no seconds for a day. Write a number, such as {PACE:g}."
        )
    return seconds


def asked(what: str, strength: str) -> dict[str, Any]:
    """What a step changes, by a preset's or a model's name; the strength is the model's first number.

    Raises
    ------
    BadSetting
        If the strength is no number, or is missing or given in vain.
    """
    given = strength.strip()
    if what in ALL_PRESETS:
        if given:
            raise BadSetting("A preset has its own strength. Leave the field empty, or choose a model.")
        return {"preset": what}
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadSetting(f"{given[:40]!r} is no strength. Write a number such as 0.3, or 0 for off.")
    if value == 0:
        return {what: {SWITCH: False}}
    (model,) = (each for each in MODELS if each.key == what)
    return {what: {SWITCH: True, strength_of(model): value}}


def strength_of(model: type[Model]) -> str:
    """The parameter that says how strong a model is: its first number."""
    return next(
        name for name in model.param if isinstance(model.param[name], param.Number) and name != SWITCH
    )


def spell_step(perturbation: Mapping[str, Any]) -> tuple[str, str]:
    """What a step changes, and how strongly."""
    if "preset" in perturbation:
        return title(str(perturbation["preset"])), ""
    names = ", ".join(_label(key) for key in perturbation)
    return names, "; ".join(_spell_settings(settings) for settings in perturbation.values())


def _spell_settings(settings: Mapping[str, Any]) -> str:
    if not settings.get(SWITCH, True):
        return "off"
    values = {name: value for name, value in settings.items() if name != SWITCH}
    return ", ".join(f"{name} {value:g}" for name, value in values.items()) or "on"


def _row(i: int, step: Step) -> Row:
    at, (what, strength) = spell_clock(step.at), spell_step(step.perturbation)
    return Row(str(i), (at, what, strength, act("remove", "Remove", f"Remove the step at {at}")))


def _label(key: str) -> str:
    return key.replace("_", " ").capitalize()
