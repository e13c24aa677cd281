"""What clients may tune while a session runs, with the bounds that the engine declares."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, create_model, model_validator

from engine.answers.safety import Limits
from engine.sources.electrodes.settings import ELSEWHERE, Electrodes
from engine.sources.user.cursor import Steering
from engine.sources.user.tasks import Task
from engine.sources.user.user import User
from engine.stages.detection.settings import Detection
from engine.stages.perturb import ALL_PRESETS, MODELS
from engine.stages.perturb.base import LONGEST
from engine.stages.perturb.days import SOURCES
from engine.stages.perturb.scenarios import PACE, SCENARIOS
from engine.stages.perturb.timetable import MOST_STEPS, Step
from engine.view import View
from sessions.rest.asks import Tuning
from sessions.rest.models.tuned import ask_model

Preset: Any = Literal[tuple(ALL_PRESETS)]
Scenario: Any = Literal[tuple(SCENARIOS)]
_models: dict[str, Any] = {
    model.key: (ask_model(model, Tuning), Field(default_factory=lambda: None)) for model in MODELS
}
_perturbation: Any = create_model("Models", __base__=Tuning, **_models)


class PerturbationAsk(_perturbation):  # type: ignore[misc]  # its fields are the models
    """A preset, or models by name with the parameters to change, as the answer shows them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"preset": "moderate"}]})

    preset: Preset = Field(
        default_factory=lambda: None,
        description=f"All models at once; nothing beside it. Days since a decoder's training: {SOURCES}",
    )

    @model_validator(mode="after")
    def _alone(self) -> Self:
        if "preset" in self.model_fields_set and len(self.model_fields_set) > 1:
            raise ValueError("A preset stands alone. Send it, or models by name.")
        return self


class StepAsk(Tuning):
    """A change of perturbations that is known beforehand."""

    at: float = Field(
        ge=0,
        le=LONGEST,
        description="Seconds of the session: the `sequence_number` of the first packet by the bin rate.",
    )
    perturbation: PerturbationAsk = Field(description="What changes; what is not named stays as it is.")

    def step(self) -> Step:
        return Step(self.at, self.perturbation.model_dump(exclude_unset=True))


class TimetableAsk(Tuning):
    """Perturbations over time, which take the place of those that there were."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"steps": [{"at": 120, "perturbation": {"drift": {"enabled": True}}}]}]
        }
    )

    steps: list[StepAsk] = Field([], max_length=MOST_STEPS, description="In any order; none ends it.")
    scenario: Scenario = Field(
        default_factory=lambda: None,
        description="Steps that have a name, beside those given. `days`: day 0 to day 30, by the presets.",
    )
    pace: float = Field(PACE, gt=0, le=LONGEST, description="Seconds of each day of a scenario.")

    @model_validator(mode="after")
    def _of_a_scenario(self) -> Self:
        if "pace" in self.model_fields_set and not self.scenario:
            raise ValueError("A pace is that of a scenario. Name one, or leave it out.")
        return self

    def all_steps(self) -> list[Step]:
        """Those given and those of the scenario."""
        given = [each.step() for each in self.steps]
        return given + (SCENARIOS[self.scenario].steps(self.pace) if self.scenario else [])


_user: Any = ask_model(User, Tuning)
_task: Any = ask_model(Task, Tuning)
_steering: Any = ask_model(Steering, Tuning)


class SteeringAsk(_steering):  # type: ignore[misc]  # its fields are the steering's
    """What to change of the steering; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"gain": 0.4}]})


class ClosedLoopAsk(Tuning):
    """What differs from the usual in a closed loop."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"task": {"radius": 20.0}, "steering": {"gain": 0.4}}]}
    )

    user: _user = Field(default_factory=_user, description="The simulated user.")
    task: _task = Field(default_factory=_task, description="What is asked of the user.")
    steering: SteeringAsk = Field(default_factory=SteeringAsk, description="From velocity to cursor.")
    position: bool = Field(False, description="Whether units fire for the cursor's position, too.")
    dispersed: bool = Field(
        False, description="Whether counts vary beyond Poisson as they did in the recording."
    )


_electrodes: Any = ask_model(Electrodes, Tuning, without=ELSEWHERE)
_detection: Any = ask_model(Detection, Tuning)
_bad_channels: Any = ask_model(Electrodes, Tuning, without=Electrodes.constants())
_threshold: Any = ask_model(Detection, Tuning, without=Detection.constants())


class ElectrodesAsk(_electrodes):  # type: ignore[misc]  # its fields are the electrodes'
    """What differs from the usual electrodes; how many there are, `source` says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"pink": 25.0, "dead": [3]}]})


class DetectionAsk(_detection):  # type: ignore[misc]  # its fields are the detection's
    """What differs from the usual detection of spikes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"k": 4.5, "reference": True}]})


class ChangeElectrodes(_bad_channels):  # type: ignore[misc]  # its fields are the electrodes'
    """What to change of electrodes; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dead": [3], "shorted": [[0, 1]]}]})


class ChangeDetection(_threshold):  # type: ignore[misc]  # its fields are the detection's
    """What to change of the detection of spikes; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"k": 4.5}]})


_view: Any = ask_model(View, Tuning)


class ViewAsk(_view):  # type: ignore[misc]  # its fields are a view's
    """What to change of a view; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"order": "rate", "hidden_units": [0]}]})


_limits: Any = ask_model(Limits, Tuning)


class SafetyAsk(_limits):  # type: ignore[misc]  # its fields are the limits
    """What to change of the limits; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"max_speed": 1000.0}]})
