"""CSV and npz have exactly what the record has."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from engine.bins.schema import kept_names
from engine.deck.happenings import Note
from engine.sinks.record.export import write_csv, write_npz
from engine.sinks.record.reading import read_record
from engine.sinks.record.record import Record
from tests.builders import small_recording
from tests.engine.sinks.record.recording import recorded


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    folder = tmp_path_factory.mktemp("record")
    with recorded(folder, small_recording(gaps=True)) as session:
        session.replay.resume()
        session.play(120)
        session.answers.receive("mine", 3, (0.1, -2.5, np.nan, 1e-7))
        session.answers.receive("other", 4, (1 / 3, 2.0, 3.0, 4.0))
        session.end()
    return read_record(folder / "test.journal")


def table(record: Record, name: str) -> dict[str, list[str]]:
    text = io.StringIO(newline="")
    write_csv(record, name, text)
    head, *lines = csv.reader(io.StringIO(text.getvalue(), newline=""))
    return {column: [line[i] for line in lines] for i, column in enumerate(head)}


def numbers(cells: list[str]) -> list[float]:
    return [float(cell) if cell else np.nan for cell in cells]


def test_a_csv_of_bins_has_a_line_a_bin_and_a_column_a_unit(record: Record) -> None:
    columns, rows = table(record, "bins"), record.rows
    np.testing.assert_array_equal(numbers(columns["sequence_number"]), rows["sequence_number"])
    np.testing.assert_array_equal(numbers(columns["timestamp"]), rows["timestamp"])
    np.testing.assert_array_equal(numbers(columns["trial_time_ms"]), rows["trial_time_ms"])
    np.testing.assert_array_equal(numbers(columns["observed"]), rows["observed"])
    for i, name in enumerate(("x", "y", "vx", "vy")):
        np.testing.assert_array_equal(np.float32(numbers(columns[name])), rows["kinematics"][:, i])
    for i, name in enumerate(("target_id", "target_x", "target_y", "distance_to_target")):
        np.testing.assert_array_equal(np.float32(numbers(columns[name])), rows["intention"][:, i])
    for i in range(5):
        np.testing.assert_array_equal(numbers(columns[f"unit {i}"]), rows["counts"][:, i])
    assert "" in columns["x"]  # missing in the gap, and not "nan"


def test_a_csv_of_predictions_has_a_line_a_prediction(record: Record) -> None:
    columns = table(record, "predictions")
    assert columns["decoder_name"] == ["mine", "other"]
    assert numbers(columns["x"]) == [0.1, 1 / 3]
    assert columns["vx"] == ["", "3.0"]
    np.testing.assert_array_equal(numbers(columns["received"]), record.predictions["received"])


def test_a_csv_of_events_has_a_line_an_event(record: Record) -> None:
    assert table(record, "events")["text"] == ["resume"]


def test_an_npz_has_everything_and_needs_no_pickle(record: Record) -> None:
    out = io.BytesIO()
    write_npz(record, out)
    out.seek(0)
    with np.load(out, allow_pickle=False) as found:
        for name in kept_names(record.rows):
            assert found[name].tobytes() == record.rows[name].tobytes(), name
        for name in record.predictions.dtype.names or ():
            np.testing.assert_array_equal(found[f"prediction_{name}"], record.predictions[name])
        assert found["decoders"].tolist() == ["mine", "other"]
        assert found["events"].tolist() == ["resume"]
        assert json.loads(str(found["header"]))["sha256"] == "0" * 64
        assert json.loads(str(found["settings"][0]))["speed"] == 100.0
        assert json.loads(str(found["scores"])) == record.scores


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://evil")'])
def test_text_that_a_spreadsheet_would_calculate_is_escaped_and_numbers_are_not(
    record: Record, text: str
) -> None:
    hostile = replace(
        record,
        decoders=tuple(text for _ in record.decoders),
        notes=(Note(text, 1.0, 2.0),),
        header=replace(record.header, channel_names=(text, *record.header.channel_names[1:])),
    )
    assert table(hostile, "events")["text"] == [f"'{text}"]
    assert table(hostile, "predictions")["decoder_name"] == [f"'{text}"] * 2
    bins = table(hostile, "bins")
    assert f"'{text}" in bins
    assert text not in bins
    plain = table(record, "bins")
    assert bins["vx"] == plain["vx"]
    assert any(cell.startswith("-") for cell in plain["vx"])
