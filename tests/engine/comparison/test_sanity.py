"""What a closed loop must show whatever its details: of a drawn population whose tuning is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from engine.answers.scores.comparison import Estimate
from engine.comparison.runs import Condition
from engine.comparison.table import lines
from tests.engine.comparison.benches import a_bench, results

LEVELS = ("none", "moderate", "extreme")
seeded = pytest.mark.parametrize("n_seeds", [6, pytest.param(20, marks=pytest.mark.slow)])


def scores(
    n_seeds: int, decoder: str, user: str = "skilled", level: str = "none", **bench: Any
) -> Mapping[str, Estimate]:
    """Means over seeds, with their intervals."""
    bench.setdefault("n_trials", 4 if n_seeds < 20 else 8)
    made = a_bench([decoder] if decoder == "wiener" else [], **bench)
    (line,) = lines(results(made, [Condition(decoder, user, level)], range(n_seeds)))
    return line.scores


def times(every: Sequence[Mapping[str, Estimate]]) -> list[Estimate]:
    return [each["acquisition_time"] for each in every]


@seeded
def test_what_was_intended_acquires_every_target_and_noise_hardly_one(n_seeds: int) -> None:
    assert scores(n_seeds, "perfect")["success"].mean == 1.0
    assert scores(n_seeds, "noise")["success"].high < 0.2


@seeded
def test_more_units_are_better(n_seeds: int) -> None:
    few, some, many = (scores(n_seeds, "wiener", n_units=n) for n in (4, 16, 64))
    assert few["success"].high < some["success"].low <= many["success"].mean
    assert many["acquisition_time"].high < some["acquisition_time"].low


@seeded
def test_more_perturbation_is_not_better(n_seeds: int) -> None:
    none, moderate, extreme = times([scores(n_seeds, "wiener", level=level) for level in LEVELS])
    assert none.low < moderate.high
    assert none.high < extreme.low
    assert moderate.high < extreme.low


@seeded
def test_acquisition_takes_longest_at_the_least_and_the_greatest_gain(n_seeds: int) -> None:
    every = [scores(n_seeds, "wiener", steering={"gain": gain}) for gain in (0.1, 0.3, 0.8, 2.0)]
    low, best, high, _ = times(every)
    assert best.high < low.low
    assert best.high < high.low
    assert every[3]["success"].high < every[2]["success"].low  # which times do not count
    assert every[2]["orbits"].low > every[1]["orbits"].high


@seeded
def test_the_forward_model_helps_most_where_the_cursor_is_sluggish(n_seeds: int) -> None:
    gains = []
    for smoothing in (0.0, 0.9):
        steering = {"gain": 1.0, "smoothing": smoothing}
        with_it, without = (
            scores(n_seeds, "wiener", user, steering=steering)["success"] for user in ("skilled", "naive")
        )
        assert without.high < with_it.low
        gains.append(with_it.mean - without.mean)
    assert gains[1] > gains[0]
