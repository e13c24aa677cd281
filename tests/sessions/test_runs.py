"""Runs are kept when sessions end or begin anew, over versions of the database."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DeckError
from sessions.run_choice import Choice, Known, Order
from sessions.runs import MIGRATIONS, Runs
from sessions.store import Store
from tests.builders import small_recording
from tests.sessions.keeping import runs_kept
from tests.sessions.predicting import answer
from tests.sessions.serving import Client, serving


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        client.create(speed=20.0, seed=5, perturbation={"noise": {"enabled": True}})
        yield client


def runs(call: Client, query: str = "") -> list[dict[str, Any]]:
    found = call("GET", f"/api/runs{query}").json
    assert found["count"] == len(found["runs"])
    return list(found["runs"])


def test_a_session_that_ends_leaves_a_run_of_each_decoder_that_was_scored(call: Client) -> None:
    assert runs(call) == []
    session = call.store.get("deck")
    answer(session, 80, "mine, exactly", "off")
    answer(session, 20, "brief")
    live = call("GET", "/api/sessions/deck/scores").json["decoders"]
    call("DELETE", "/api/sessions/deck")
    found = {run["decoder"]: run for run in runs(call)}
    assert found.keys() == {"mine, exactly", "off"}
    run = found["off"]
    assert run["scores"] == {name: live["off"][name] for name in run["scores"]}
    assert run["scores"]["rmse_position"] == pytest.approx(np.hypot(10.0, 10.0))
    assert (run["session"], run["recording"], run["source"], run["seed"]) == (
        "deck",
        "small",
        "recording",
        5,
    )
    assert run["settings"]["perturbation"]["noise"]["enabled"] is True
    assert run["sha256"] == small_recording().sha256
    assert (run["notes"], run["tags"]) == ("", [])


def test_a_restart_ends_a_run_and_one_can_be_kept_at_once(call: Client) -> None:
    session = call.store.get("deck")
    answer(session, 60, "a")
    (kept,) = call("POST", "/api/sessions/deck/runs").json["runs"]
    call("POST", "/api/control/deck/restart")
    session.replay.pause()
    assert call("POST", "/api/sessions/deck/runs").json["runs"] == []  # nothing was scored since
    answer(session, 50, "a")
    call("DELETE", "/api/sessions/deck")
    assert [run["scores"]["n_bins"] for run in runs(call)] == [50, 60, 60]
    assert runs(call, "?limit=1")[0]["scores"]["n_bins"] == 50
    assert call("GET", f"/api/runs/{kept['run']}").json == kept


def test_runs_are_annotated_chosen_exported_and_forgotten(call: Client) -> None:
    answer(call.store.get("deck"), 60, "=SUM(A1)", "b")
    call("DELETE", "/api/sessions/deck")
    (run,) = (each["run"] for each in runs(call, "?decoder=b"))
    changed = call("PUT", f"/api/runs/{run}", {"tags": ["baseline", "monday"]}).json
    assert (changed["tags"], changed["notes"]) == (["baseline", "monday"], "")
    assert call("PUT", f"/api/runs/{run}", {"notes": "@home"}).json["tags"] == ["baseline", "monday"]
    assert runs(call, "?recording=other") == []
    assert [each["run"] for each in runs(call, "?tag=monday")] == [run]
    assert runs(call, "?tag=mon") == []
    table = list(csv.DictReader(io.StringIO(call("GET", "/api/runs.csv").content.decode())))
    lines = {line["decoder"]: line for line in table}
    assert lines.keys() == {"'=SUM(A1)", "b"}
    assert (lines["b"]["notes"], lines["b"]["tags"]) == ("'@home", "baseline monday")
    assert float(lines["b"]["r2_position"]) < 1.0
    assert call("DELETE", f"/api/runs/{run}").json == {"status": "deleted", "run": run}
    for method in ("GET", "PUT", "DELETE"):
        refused = call(method, f"/api/runs/{run}", {} if method == "PUT" else None)
        assert (refused.status, refused.json["error"]["code"]) == (404, "unknown_run")


@pytest.mark.parametrize("run", [2**63, -(2**63) - 1])
def test_no_run_has_a_number_beyond_those_of_the_database(call: Client, run: int) -> None:
    answer(call.store.get("deck"), 60, "a")
    call("DELETE", "/api/sessions/deck")
    for method in ("GET", "PUT", "DELETE"):
        refused = call(method, f"/api/runs/{run}", {} if method == "PUT" else None)
        assert (refused.status, refused.json["error"]["code"]) == (404, "unknown_run")


def test_a_file_that_another_program_holds_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.runs.BUSY", 0.05)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DeckError, match=r"\(database is locked\)\. Close what holds it\."):
            Runs(tmp_path / "runs.sqlite").kept()


def test_runs_are_sorted_by_column_or_score_and_those_without_it_come_last(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    runs_kept(path, [("b", 1.0, 0.2), ("a", 2.0, None), ("b", 3.0, 0.9)])
    kept = Runs(path)

    def ends(order: Order, **more: int) -> list[float]:
        return [run.ended for run in kept.kept(order=order, **more)]

    assert ends(Order()) == [3.0, 2.0, 1.0]
    assert ends(Order("decoder", ascending=True)) == [2.0, 3.0, 1.0]
    assert ends(Order("r2_position")) == [3.0, 1.0, 2.0]
    assert ends(Order("r2_position", ascending=True)) == [1.0, 3.0, 2.0]
    assert ends(Order(), limit=1, offset=1) == [2.0]
    assert kept.known(Choice("b")) == Known(("a", "b"), ("small",), ("monday",), 2)
    assert kept.over_time("r2_position") == [("b", 1.0, 0.2), ("b", 3.0, 0.9)]


def test_the_version_changes_with_what_is_kept_and_not_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    kept = Runs(path)
    versions = [kept.version()]
    runs_kept(path, [("a", 1.0, 0.2)])
    versions.append(kept.version())
    (run,) = kept.kept()
    assert kept.version() == versions[-1]
    for change in (lambda: kept.annotate(run.id, "once"), lambda: kept.delete(run.id)):
        change()
        versions.append(kept.version())
    assert len(set(versions)) == 4


def test_runs_of_the_first_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
        columns = "(ended, decoder, session, recording, sha256, source, seed, settings, scores)"
        values = "(1e9, 'old', 'deck', 'small', NULL, 'recording', 0, '{}', '{}')"
        database.execute(f"INSERT INTO runs {columns} VALUES {values}")
    kept = Runs(path)
    (run,) = kept.kept()
    assert (run.decoder, run.notes, run.tags) == ("old", "", ())
    assert kept.annotate(run.id, tags=["then"]).tags == ("then",)


def test_runs_of_a_newer_version_are_left_alone_and_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(DeckError, match=rf"schema 99, this one has {len(MIGRATIONS)}\). Update"):
        Runs(path).kept()
    assert path.read_bytes() == before


def test_what_hinders_keeping_hinders_no_session_from_ending(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "runs.sqlite").write_text("no database at all, but text that somebody left here")
    store = Store({"small": small_recording()}, keep=Runs(tmp_path / "runs.sqlite").keep)
    answer(store.create("deck"), 60, "a")
    store.close()
    assert "The scores of session deck are not kept: runs.sqlite cannot be used" in caplog.text
