"""What the REST calls about the settings of a session answer."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, create_model

from engine.bins.trials import TrialEvent
from engine.deck.transport import Speed
from engine.stages.perturb import MODELS
from engine.view import View
from sessions.rest.models.base import Answer
from sessions.rest.models.tuned import answer_model


class SelectionAnswer(Answer):
    """What is in force. Sending it back changes nothing but the position."""

    model_config = ConfigDict(title="Selection")

    trial_ids: list[int]
    target_ids: list[int]
    success: bool | None
    begin: TrialEvent
    begin_offset: float
    end: TrialEvent
    end_offset: float
    first_packet: int | None
    last_packet: int | None


class SpeedAnswer(Answer):
    model_config = ConfigDict(title="Speed")

    speed: Speed


class LoopAnswer(Answer):
    model_config = ConfigDict(title="Loop")

    loop: bool


_models: dict[str, Any] = {model.key: (answer_model(model, Answer), ...) for model in MODELS}
_perturbation: Any = create_model("Perturbation", __base__=Answer, **_models)
_view: Any = answer_model(View, Answer)


class PerturbationAnswer(_perturbation):  # type: ignore[misc]  # its fields are the models
    """Every model with its parameters. Sending it back changes nothing."""

    model_config = ConfigDict(title="Perturbation")


class StepAnswer(Answer):
    model_config = ConfigDict(title="Step")

    at: float = Field(description="Seconds of the session.")
    perturbation: dict[str, Any] = Field(description="What changes then.")


class TimetableAnswer(Answer):
    """What changes when. Sending its `steps` back begins it anew."""

    model_config = ConfigDict(title="Timetable")

    steps: list[StepAnswer] = Field(description="In the order of their times.")


class ViewAnswer(_view):  # type: ignore[misc]  # its fields are a view's
    __doc__ = View.__doc__

    model_config = ConfigDict(title="View")
