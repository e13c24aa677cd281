"""REST calls that change electrodes and the detection of spikes while a session plays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.source import refuse
from engine.sources.electrodes.features import feature_names
from engine.sources.electrodes.implant import Implant, implant_of
from engine.sources.electrodes.settings import ELSEWHERE
from sessions.rest.context import Context, Text
from sessions.rest.models.sessions import DetectionSettings, ElectrodesAnswer, FeaturesAnswer
from sessions.rest.requests import FeaturesQuery
from sessions.rest.tuning import ChangeDetection, ChangeElectrodes
from sessions.sources import ELECTRODES, USER

MOST_BINS: Final = 400
MOST_VALUES: Final = 100_000
"""Of an answer."""


def show_electrodes(context: Context, code: str) -> ElectrodesAnswer:
    """Electrodes as they are set."""
    return electrodes_answer(_implant(context, code, "electrodes"))


def set_electrodes(context: Context, code: str, asked: ChangeElectrodes) -> ElectrodesAnswer:
    """Change bad channels, noise or drift of electrodes; what is left out stays.

    It holds from a bin on that the event tells: 0.4 s of bins after the newest, as those until then are
    made, or the next one of a simulated user. The same seed and the same changes between the same bins give
    the same bins, and channels that are not concerned stay as they would have been, but for what all have
    of the common reference. Voltages of a file cannot be changed.
    """
    implant = _implant(context, code, "electrodes")
    _tune(context, code, "electrodes", asked.model_dump(exclude_unset=True), implant.tuning.array.settings)
    return show_electrodes(context, code)


def show_detection(context: Context, code: str) -> DetectionSettings:
    """How spikes are found, as it is set; what is found, `detection` of the session tells."""
    return detection_settings(_implant(context, code, "detection"))


def set_detection(context: Context, code: str, asked: ChangeDetection) -> DetectionSettings:
    """Change how spikes are found, from the same bin on as electrodes; what is left out stays."""
    implant = _implant(context, code, "detection")
    _tune(
        context, code, "detection", asked.model_dump(exclude_unset=True), implant.tuning.detection.settings
    )
    return show_detection(context, code)


def show_features(context: Context, code: str, asked: FeaturesQuery) -> FeaturesAnswer | Text:
    """Features of each channel in bins that were sent, none older than 20 s; ask again with `next`.

    At most 400 bins, and at most 100,000 values unless one bin has more. They are those of the electrodes:
    no perturbation changes them.
    """
    implant, sent = _implant(context, code, "features"), context.session(code).replay.ring.head
    first = max(sent - 1, 0) if asked.since is None else asked.since
    found = implant.features.between(first, sent)
    if found:
        found = found[: min(MOST_BINS, max(MOST_VALUES // found[0].features.size, 1))]
    answer = {
        "names": feature_names(implant.detection.settings["n_components"]),
        "bins": [
            {"sequence_number": each.number, "values": _nulled(each.features.astype(np.float64))}
            for each in found
        ],
        "next": found[-1].number + 1 if found else max(first, sent),
    }
    return Text(json.dumps(answer).encode(), "application/json")


def _nulled(values: npt.NDArray[np.float64]) -> list[list[float | None]]:
    """As JSON has it, without numbers that are none."""
    known = np.where(np.isnan(values), None, values.round(3))  # type: ignore[call-overload]
    return known.tolist()  # type: ignore[no-any-return]


def electrodes_answer(implant: Implant) -> ElectrodesAnswer:
    settings = implant.tuning.array.settings
    answer: ElectrodesAnswer = ElectrodesAnswer.model_validate(
        {name: value for name, value in settings.items() if name not in ELSEWHERE}
    )
    return answer


def detection_settings(implant: Implant) -> DetectionSettings:
    settings: DetectionSettings = DetectionSettings.model_validate(implant.tuning.detection.settings)
    return settings


def _tune(context: Context, code: str, what: str, asked: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Change what is not so already."""
    changed = {name: value for name, value in asked.items() if value != now[name]}
    if changed:
        context.session(code).replay.tune(what, changed)


def _implant(context: Context, code: str, what: str) -> Implant:
    source = context.session(code).replay.source
    other = f"{source.kind}:electrodes" if source.kind == USER else ELECTRODES
    return implant_of(source) or refuse(source, what, other)
