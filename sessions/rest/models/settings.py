"""What the REST calls about the settings of a session answer."""

from __future__ import annotations

from typing import Any

import param
from pydantic import ConfigDict, Field, create_model

from engine.bins.trials import TrialEvent
from engine.deck.transport import Speed
from engine.stages.perturb import MODELS
from engine.view import View
from sessions.rest.models.base import Answer


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


def _kind(parameter: Any) -> Any:
    if isinstance(parameter, param.List):
        return list[parameter.item_type]
    plain_number = isinstance(parameter, param.Number) and not isinstance(parameter, param.Integer)
    return float if plain_number else type(parameter.default)


def _parameters(model: type[param.Parameterized]) -> type[Answer]:
    fields: dict[str, Any] = {
        name: (_kind(parameter), Field(description=parameter.doc))
        for name, parameter in model.param.objects("existing").items()
        if name != "name"
    }
    return create_model(model.__name__, __base__=Answer, __doc__=model.__doc__, **fields)


_models: dict[str, Any] = {model.key: (_parameters(model), ...) for model in MODELS}
_perturbation: Any = create_model("Perturbation", __base__=Answer, **_models)
_view: Any = _parameters(View)


class PerturbationAnswer(_perturbation):  # type: ignore[misc]  # its fields are the models
    """Every model with its parameters. Sending it back changes nothing."""

    model_config = ConfigDict(title="Perturbation")


class ViewAnswer(_view):  # type: ignore[misc]  # its fields are a view's
    __doc__ = View.__doc__

    model_config = ConfigDict(title="View")
