"""How a session is disturbed: presets, and every model with its own parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, changes_of, stack
from engine.stages.perturb import ALL_PRESETS, DAYS, MODELS, PRESETS
from engine.stages.perturb.base import Instability, Model
from engine.stages.perturb.days import SOURCES

SWITCH: Final = "enabled"
"""The parameter that every model has."""
STEPS: Final = 300
"""Of a slider."""


class Presets(Controls):
    """Disturbs a session by a preset."""

    preset: Any = param.Selector(default=None, objects=[*PRESETS], allow_None=True)

    def read(self) -> dict[str, Any]:
        preset = preset_of(self.session.replay.perturbation)
        return {"preset": preset if preset in PRESETS else None}

    def write(self, changes: Mapping[str, Any]) -> None:
        for preset in changes.values():
            if preset is not None:
                self.session.replay.set_perturbation({"preset": preset})

    def view(self) -> Viewable:
        return chips(self.param.preset, PRESETS)


class Perturbing(Presets):
    """Switches and tunes the perturbation models. Those of recordings are behind a button.

    The widgets are those of the models' own `param` declarations, bound to models of this page alone,
    which disturb nothing: `models`, by key.
    """

    day: Any = param.Selector(default=None, objects=[*DAYS], allow_None=True)

    def read(self) -> dict[str, Any]:
        preset = preset_of(self.session.replay.perturbation)
        return {**super().read(), "day": preset if preset in DAYS else None}

    def declare(self) -> None:
        recording, seed = self.session.description, self.session.replay.seed
        self.models: dict[str, Model] = {
            model.key: model(seed, recording.n_units, recording.bin_rate) for model in MODELS
        }
        self._tuning: dict[str, pn.Column] = {}
        self._unfolded = stack()
        self._group = button("", self._fold)
        for model in self.models.values():
            self._watch_model(model)

    def follow(self) -> None:
        super().follow()
        self._group.label = self._group_label()
        for key, values in self.session.replay.perturbation.items():
            self._take(self.models[key], values)
            if key in self._tuning:
                self._show(key)

    def view(self) -> Viewable:
        return stack(
            super().view(),
            *(self._model(key, model) for key, model in self._of(instabilities=False)),
            self._group,
            self._unfolded,
        )

    def _of(self, instabilities: bool) -> list[tuple[str, Model]]:
        return [each for each in self.models.items() if isinstance(each[1], Instability) == instabilities]

    def _group_label(self) -> str:
        n = sum(model.enabled for _, model in self._of(instabilities=True))
        return f"As in recordings{f', {n} on' if n else ''}: {'less' if self._unfolded.objects else 'more'}"

    def _fold(self) -> None:
        """Show the models of recordings, which are many, or take them away."""
        models = self._of(instabilities=True)
        if self._unfolded.objects:
            self._unfolded.objects = []
            for key, _ in models:
                del self._tuning[key]
        else:
            heading = pn.widgets.StaticText(value="Days after a decoder's training")
            about = pn.widgets.TooltipIcon(value=SOURCES)
            self._unfolded.objects = [
                pn.Row(heading, about, css_classes=["beside"]),
                chips(self.param.day, DAYS),
                *(self._model(key, model) for key, model in models),
            ]
        self._group.label = self._group_label()

    def _model(self, key: str, model: Model) -> Viewable:
        label = key.replace("_", " ").capitalize()
        switch = pn.widgets.Switch.from_param(model.param.enabled, label=label, css_classes=["model"])
        about = pn.widgets.TooltipIcon(value=described(type(model)))
        self._tuning[key] = stack(css_classes=["tuning"])
        self._show(key)
        return stack(
            pn.Row(switch, about, css_classes=["beside"]), self._tuning[key], css_classes=["tight"]
        )

    def _show(self, key: str) -> None:
        """Have the widgets of a model when it acts: there are many models, and few act at a time."""
        place, model = self._tuning[key], self.models[key]
        if model.enabled != bool(place.objects):
            place.objects = [tuning(model)] if model.enabled else []

    def _watch_model(self, model: Model) -> None:
        names = [name for name in model.param if name != "name"]
        for name in names:
            if isinstance(model.param[name], param.Number):
                model.param[name].allow_None = True  # of an empty field, which is refused

        def set_(*events: Any) -> None:
            self._ask(lambda: self.session.replay.set_perturbation({model.key: changes_of(events)}))
            if model.key in self._tuning:
                self._show(model.key)
            self._group.label = self._group_label()

        model.param.watch(set_, names)


def chips(parameter: Any, presets: Mapping[str, Any]) -> Viewable:
    """One of some presets to choose."""
    made = pn.widgets.RadioBoxGroup.from_param(
        parameter,
        options={title(name): name for name in presets},
        inline=True,
        css_classes=["chips"],
    )
    made.value = getattr(parameter.owner, parameter.name)  # it takes the first where there is none
    return made


def title(preset: str) -> str:
    """A preset's name for people."""
    return preset.capitalize().replace("-", " ")


def tuning(model: Model) -> Viewable:
    """Widgets for a model's parameters."""
    return stack(*(widget(model.param[name]) for name in model.param if name not in ("name", SWITCH)))


def widget(parameter: Any) -> Viewable:
    """What a person sets a parameter with: a number by a field, and a slider within its soft bounds."""
    label = parameter.doc.rstrip(".") if parameter.doc else parameter.label
    bounds = getattr(parameter, "softbounds", None) or getattr(parameter, "bounds", None)
    if not isinstance(parameter, param.Number) or not bounds or None in bounds:
        return pn.Param(parameter, widgets={parameter.name: {"label": label}})
    whole = isinstance(parameter, param.Integer)
    field, slider = (
        (pn.widgets.IntInput, pn.widgets.IntSlider)
        if whole
        else (pn.widgets.FloatInput, pn.widgets.FloatSlider)
    )
    start, end = bounds
    low, high = parameter.bounds or bounds
    step = 1 if whole else (end - start) / STEPS
    return stack(
        field.from_param(
            parameter, label=label, description=None, start=low, end=high, css_classes=["inline"]
        ),
        slider.from_param(
            parameter, label=label, start=start, end=end, step=step, show_value=False, css_classes=["pace"]
        ),
        css_classes=["tight"],
    )


def preset_of(perturbation: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The preset that has these settings."""
    for name, models in ALL_PRESETS.items():
        if all(perturbation[key].items() >= values.items() for key, values in models.items()):
            return name
    return None


def described(model: type[Model]) -> str:
    """What a model does, with its formula."""
    return (inspect.getdoc(model) or "").replace("``", "")
