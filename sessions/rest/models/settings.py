"""What the REST calls about the settings of a session answer."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, create_model

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


class ViewAnswer(_view):  # type: ignore[misc]  # its fields are a view's
    __doc__ = View.__doc__

    model_config = ConfigDict(title="View")
