"""Changes of electrodes that wait for their bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.tuning import Tuning
from engine.stages.detection.settings import Detection


class Told:
    """An array and a detector that note what they are told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def change(self, settings: Electrodes) -> None:
        self.told.append((settings.dead, settings.pink))

    def tune(self, settings: Mapping[str, Any]) -> None:
        self.told.append(dict(settings))


def test_changes_from_one_bin_on_are_one_and_the_last_of_each_setting_holds() -> None:
    tuning, told = Tuning(Electrodes(n_channels=4), Detection()), Told()
    for channel in range(4):
        tuning.change("electrodes", {"dead": [channel]}, 8)
        tuning.change("detection", {"k": 3.5 + channel / 4}, 8)
    tuning.change("electrodes", {"pink": 5.0}, 8)
    tuning.change("detection", {"reference": True}, 16)
    tuning.reach(7, told, told)
    assert told.told == []
    tuning.reach(8, told, told)
    assert told.told == [([3], 5.0), {"k": 4.25}]
    tuning.reach(16, told, told)
    assert told.told[2:] == [{"reference": True}]
