"""The table of a comparison: every score with its interval, in each format, also where there is none."""

from __future__ import annotations

import csv
import io
import json

import pytest

from engine.comparison.runs import Condition
from engine.comparison.table import CLOSED, FORMATS, Results, as_markdown, lines
from tests.engine.comparison.benches import a_bench, results

PERFECT, NOISE = Condition("perfect", "skilled", "none"), Condition("noise", "naive", "none")


@pytest.fixture(scope="module")
def found() -> Results:
    return results(a_bench(n_trials=2, task={"time_limit": 3.0}), (PERFECT, NOISE), range(5))


def test_a_line_is_the_mean_over_seeds_and_its_interval_holds_it(found: Results) -> None:
    perfect, noise = lines(found)
    assert (perfect.condition, perfect.n_runs, perfect.n_trials) == (PERFECT, 5, 10)
    time = perfect.scores["acquisition_time"]
    assert time.mean == pytest.approx(sum(run.acquisition_time for run in found[PERFECT].values()) / 5)
    assert time.low <= time.mean <= time.high
    assert noise.scores["success"].mean == 0.0
    assert noise.scores["acquisition_time"].n_trials == 0


def test_each_format_says_the_same_of_all_scores(found: Results) -> None:
    written = {ending: make(found, {"recording": "drawn"}) for ending, make in FORMATS.items()}
    table = list(csv.DictReader(io.StringIO(written[".csv"])))
    told = json.loads(written[".json"])
    assert told["recording"] == "drawn"
    assert len(told["runs"]) == 10
    for line, row, entry in zip(lines(found), table, told["table"], strict=True):
        assert Condition(row["decoder"], row["user"], row["level"]) == line.condition
        for name in CLOSED:
            known = line.scores[name].n_trials > 0
            assert row[name] == (repr(line.scores[name].mean) if known else "")
            assert entry[name]["mean"] == (line.scores[name].mean if known else None)
    assert written[".md"].count("\n") == 4
    assert "| none " in written[".md"]


def test_the_order_in_which_runs_end_changes_nothing(found: Results) -> None:
    shuffled = {condition: dict(reversed(runs.items())) for condition, runs in found.items()}
    assert as_markdown(shuffled, {}) == as_markdown(found, {})
