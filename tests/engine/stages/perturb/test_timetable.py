"""Perturbations change at the bins that their timetable names, whatever the speed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.bins.schema import Rows
from engine.deck.transport import Speed
from engine.errors import BadSetting
from engine.stages.perturb import Perturbations, model_names
from engine.stages.perturb.timetable import MOST_STEPS, Step, Timetable
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper

STEPS = (
    Step(2.5, {"unit_loss": {"enabled": True, "fraction": 0.4}}),
    Step(0.325, {"noise": {"enabled": True, "sd": 0.5}}),
    Step(2.5, {"noise": {"sd": 2.0}}),
    Step(4.0, {"preset": "none"}),
)
RATE = 40.0


def timetable(*steps: Step) -> tuple[Timetable, Perturbations]:
    perturbations = Perturbations(0, 3, RATE)
    made = Timetable(perturbations, RATE)
    made.change(steps)
    return made, perturbations


def test_a_step_is_taken_with_its_bin_and_not_before() -> None:
    made, perturbations = timetable(*STEPS)
    assert (made.room(0), made.reach(0), perturbations.mask) == (13, 0, 0)
    assert (made.room(13), made.reach(13)) == (0, 1)
    assert model_names(perturbations.mask) == ["noise"]
    assert (made.room(13), made.reach(99), made.room(99)) == (87, 0, 1)
    assert made.reach(100) == 2
    assert model_names(perturbations.mask) == ["noise", "unit_loss"]
    assert (perturbations.settings["noise"]["sd"], perturbations.settings["unit_loss"]["fraction"]) == (
        2.0,
        0.4,
    )
    assert (made.reach(160), perturbations.mask, made.room(160)) == (1, 0, math.inf)


def test_steps_that_are_over_are_taken_at_once_and_in_order() -> None:
    made, perturbations = timetable(*STEPS[:3])
    assert (made.room(1000), made.reach(1000)) == (0, 3)
    assert perturbations.settings["noise"]["sd"] == 2.0


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([Step(-1.0, {})], "A step is at -1 s. Send seconds from 0 to 1000000."),
        ([Step(math.nan, {})], "A step is at nan s"),
        ([Step(1.0, {"hum": {}})], "Unknown perturbation 'hum'"),
        ([Step(1.0, {})] * (MOST_STEPS + 1), f"Send {MOST_STEPS} at most"),
    ],
)
def test_what_cannot_be_changes_nothing(steps: list[Step], said: str) -> None:
    made, perturbations = timetable(*STEPS)
    before = perturbations.settings
    with pytest.raises(BadSetting, match=said):
        made.change(steps)
    assert (len(made.steps), perturbations.settings) == (4, before)


def sent(speed: Speed, **options: Any) -> Rows:
    replay = replay_of(small_recording(), seed=7, speed=speed, timetable=STEPS, **options)
    keeper = Keeper(replay)
    replay.start()
    rows = keeper.wait_rows(300)[:300]
    replay.close()
    return rows


def test_same_seed_and_timetable_make_the_same_packets_at_any_speed() -> None:
    quick, quickest = sent(100.0), sent("max")
    for name in ("counts", "perturbation", "packet_id"):
        np.testing.assert_array_equal(quick[name], quickest[name])
    first = np.flatnonzero(np.diff(quick["perturbation"].astype(int))) + 1
    assert first.tolist() == [13, 100, 160]


def test_a_step_is_among_the_notes() -> None:
    replay = replay_of(small_recording(), speed=100.0, timetable=STEPS)
    keeper = Keeper(replay)
    replay.start()
    keeper.wait_rows(200)
    replay.close()
    assert [note.text for note in replay.notes if note.asked] == [
        "perturbation noise",
        "perturbation noise unit_loss",
        "perturbation none",
    ]


def test_after_a_restart_the_same_packets_come_again() -> None:
    on = {name: {"enabled": True} for name in Perturbations(0, 3, RATE).settings}
    replay = replay_of(small_recording(), seed=7, speed="max", timetable=STEPS, perturbation=on)
    keeper = Keeper(replay)
    replay.start()
    keeper.wait_rows(300)
    first = replay.restart()
    rows = keeper.wait_rows(first + 300)
    replay.close()
    assert np.array_equal(rows["sequence_number"], np.arange(len(rows)))
    for name in ("counts", "perturbation", "packet_id", "lost"):
        np.testing.assert_array_equal(rows[name][first : first + 300], rows[name][:300])
    assert len({note.text for note in replay.notes} & {f"restart {first}"}) == 1


def test_what_a_person_has_set_stays_over_a_restart() -> None:
    made, perturbations = timetable(*STEPS)
    perturbations.change({"gain": {"enabled": True}})
    made.reach(200)
    made.rewind()
    assert (model_names(perturbations.mask), made.reach(0), made.room(0)) == (["gain"], 0, 13)
