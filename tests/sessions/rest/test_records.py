"""Records over REST: started, stopped, listed and downloaded; the session never suffers by them."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.sinks.record.reading import read_record
from sessions.archive import EXPORTS, Archive
from sessions.store import Store
from tests.benchmarks.dashboard import wait_until
from tests.builders import small_recording
from tests.sessions.serving import Client, Reply, serving

PATIENCE = 90.0


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "records")


@pytest.fixture
def call(archive: Archive) -> Iterator[Client]:
    with serving(archive=archive) as client:
        client.create(speed=100.0)
        yield client


def record(call: Client, **body: Any) -> Reply:
    return call("POST", "/api/sessions/deck/record", body)


def play(call: Client, n: int = 50) -> None:
    """Send at least so many bins, and stand still."""
    ring = call.store.get("deck").ring
    call("POST", "/api/control/deck/resume")
    until = ring.head + n
    while ring.head < until:
        call("GET", "/api/control/deck/position")
    call("POST", "/api/control/deck/pause")


def finish(call: Client) -> str:
    """Stop the record and wait for its file; its name."""
    call("DELETE", "/api/sessions/deck/record")
    tape = call.store.get("deck").tape
    assert tape is not None
    tape.wait(PATIENCE)
    return tape.name


def refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    message: str = reply.json["detail"]
    return message


def test_a_record_is_started_watched_stopped_and_listed(call: Client) -> None:
    assert call("GET", "/api/sessions/deck/record").json["state"] == "off"
    started = record(call, name="baseline").json
    assert started["state"] == "recording"
    assert started["name"].startswith("baseline-20")
    play(call, 60)
    listed = call("GET", "/api/records").json
    assert [(each["name"], each["state"]) for each in listed["records"]] == [
        (started["name"], "unfinished")
    ]
    assert call("DELETE", "/api/sessions/deck/record").json["state"] in ("finishing", "finished")
    name = finish(call)
    shown = call("GET", "/api/sessions/deck/record").json
    n_bins = call.store.get("deck").ring.head
    assert (shown["state"], shown["bins"], shown["lost"], shown["error"]) == ("finished", n_bins, 0, None)
    assert shown["seconds"] == n_bins / 40
    (entry,) = call("GET", "/api/records").json["records"]
    assert (entry["name"], entry["state"], entry["bytes"]) == (name, "finished", shown["bytes"])


def test_downloads_have_what_was_sent(call: Client, tmp_path: Path) -> None:
    record(call)
    play(call)
    sent = call.store.get("deck").ring.snapshot()
    name = finish(call)
    reply = call("GET", f"/api/records/{name}.nwb")
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}.nwb"'
    with h5py.File(io.BytesIO(reply.content)) as file:
        np.testing.assert_array_equal(file["processing/ecephys/spike_counts/data"][:], sent["counts"])
    with np.load(io.BytesIO(call("GET", f"/api/records/{name}.npz").content)) as arrays:
        np.testing.assert_array_equal(arrays["counts"], sent["counts"])
    text = call("GET", f"/api/records/{name}.csv").content.decode()
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [int(line["unit 3"]) for line in lines] == sent["counts"][:, 3].tolist()
    events = call("GET", f"/api/records/{name}.csv?table=events").content.decode()
    assert [line["text"] for line in csv.DictReader(io.StringIO(events))] == ["resume", "pause"]


def test_every_setting_is_recorded_the_view_too(call: Client, archive: Archive) -> None:
    record(call)
    call("PUT", "/api/sessions/deck/view", {"hit_radius": 7.5})
    call("PUT", "/api/sessions/deck/selection", {"target_ids": [1]})
    found = read_record(archive.entry(finish(call)).path)
    assert [each["view"]["hit_radius"] for each in found.settings] == [10.0, 7.5, 7.5]
    assert [note.text for note in found.notes] == ["hit_radius 7.5", "selection"]
    assert found.settings[-1]["selection"]["target_ids"] == [1]
    assert found.settings[-1]["perturbation"]["noise"]["enabled"] is False
    assert found.settings[-1]["seed"] == 0
    assert set(found.header.versions) == {"phantomdeck", "python", "numpy"}


def test_a_session_has_one_record_at_a_time(call: Client) -> None:
    assert record(call).status == 200
    assert "is being recorded" in refused(record(call), 409, "conflict")
    finish(call)
    assert record(call).json["state"] == "recording"


def test_a_record_keeps_its_session_alive(archive: Archive) -> None:
    store = Store({"small": small_recording()})
    with serving(store, archive=archive) as call:
        call.create()
        record(call)
        store.ttl = 0.0
        assert store.cleanup() == 0
        store.ttl = 3600.0  # the server cleans up, too
        finish(call)
        store.ttl = 0.0
        assert store.cleanup() == 1


def test_deleting_a_session_finishes_its_record(call: Client, archive: Archive) -> None:
    record(call)
    play(call)
    tape = call.store.get("deck").tape
    assert tape is not None
    assert call("DELETE", "/api/sessions/deck").status == 200
    tape.wait(PATIENCE)
    assert tape.state == "finished"
    assert len(read_record(archive.entry(tape.name).path).rows) == tape.n_bins > 0


@pytest.mark.parametrize("name", ["..%2Fsecret", "%2e%2e%2fsecret", ".hidden", "nothing"])
def test_names_outside_the_folder_are_unknown(call: Client, archive: Archive, name: str) -> None:
    archive.folder.mkdir()
    (archive.folder / ".hidden.nwb").write_bytes(b"secret")
    (archive.folder.parent / "secret.nwb").write_bytes(b"secret")
    for ending in ("nwb", "csv", "npz"):
        refused(call("GET", f"/api/records/{name}.{ending}"), 404, "unknown_record")


def test_a_record_that_is_not_finished_is_not_given_out(call: Client) -> None:
    name = record(call).json["name"]
    told = refused(call("GET", f"/api/records/{name}.nwb"), 409, "not_now")
    assert "still recorded or being finished" in told
    assert "GET /api/sessions/CODE/record says finished" in told


@pytest.mark.parametrize(
    "body", [{"name": "../up"}, {"encrypt": True}, {"encrypt": False, "passphrase": "x"}]
)
def test_what_cannot_be_recorded_is_refused(call: Client, body: dict[str, Any]) -> None:
    refused(record(call, **body), 422, "bad_setting")
    assert call("GET", "/api/sessions/deck/record").json["state"] == "off"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with serving(archive=Archive(tmp_path / "file" / "records")) as call:
        call.create()
        assert "--records" in refused(record(call), 503, "no_records")


def test_a_passphrase_of_the_request_encrypts_and_the_server_cannot_export_it(
    call: Client, archive: Archive
) -> None:
    assert record(call, passphrase="correct horse").json["encrypted"]
    play(call)
    name = finish(call)
    (entry,) = call("GET", "/api/records").json["records"]
    assert entry["encrypted"]
    reply = call("GET", f"/api/records/{name}.nwb")
    assert reply.headers["Content-Disposition"].endswith('.nwb.enc"')
    assert b"\x89HDF\r\n\x1a\n" not in reply.content
    assert "PHANTOM_RECORD_KEY" in refused(call("GET", f"/api/records/{name}.csv"), 409, "not_now")
    sent = call.store.get("deck").ring.snapshot()
    rows = read_record(archive.entry(name).path, "correct horse").rows
    np.testing.assert_array_equal(rows["counts"], sent["counts"])


def test_a_server_with_a_passphrase_encrypts_unasked_and_exports(tmp_path: Path) -> None:
    archive = Archive(tmp_path, "correct horse")
    with serving(archive=archive) as call:
        call.create(speed=100.0)
        assert record(call).json["encrypted"]
        play(call)
        name = finish(call)
        sent = call.store.get("deck").ring.snapshot()
        with np.load(io.BytesIO(call("GET", f"/api/records/{name}.npz").content)) as arrays:
            np.testing.assert_array_equal(arrays["counts"], sent["counts"])
    assert all(b"\x89HDF\r\n\x1a\n" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_damaged_record_is_told_in_one_line(call: Client, archive: Archive) -> None:
    archive.folder.mkdir()
    (archive.folder / "broken.nwb").write_bytes(b"nothing")
    message = refused(call("GET", "/api/records/broken.csv"), 503, "record_failed")
    assert message == "broken.nwb is not a record. Check what it is."


def test_exports_have_room_for_some_at_once(call: Client, archive: Archive) -> None:
    record(call)
    play(call)
    name = finish(call)
    exports = [archive.export(archive.entry(name), "csv", "packets") for _ in range(EXPORTS)]
    first_pieces = [next(each) for each in exports]
    assert len(set(first_pieces)) == 1
    message = refused(call("GET", f"/api/records/{name}.csv"), 503, "busy")
    assert message.startswith("4 records are exported already.")
    for each in exports:
        each.close()
    assert call("GET", f"/api/records/{name}.csv").status == 200


def test_files_that_somebody_else_removes_are_no_fault(call: Client, archive: Archive) -> None:
    record(call)
    play(call)
    name = finish(call)
    (archive.folder / f"{name}.nwb").unlink()
    (archive.folder / "nowhere.nwb").symlink_to("gone.nwb")
    archive.finish_left()
    assert call("GET", "/api/records").json == {"records": [], "count": 0}
    told = call("GET", "/api/sessions/deck/record").json
    assert (told["state"], told["bytes"]) == ("finished", 0)


def test_a_server_that_goes_down_leaves_its_journal_to_the_next_one(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with serving(archive=archive) as call:
        call.create(speed=100.0)
        record(call)
        play(call)
        tape = call.store.get("deck").tape
        assert tape is not None
        archive.close()
        call.store.close()
        assert (tape.state, tape.error) == (
            "failed",
            "The server went down. The next start finishes this record.",
        )
    (journal,) = tmp_path.iterdir()
    assert journal.suffix == ".journal"
    following = Archive(tmp_path)
    following.finish_left()
    following.close(PATIENCE)
    assert len(read_record(following.entry(tape.name).path).rows) == tape.n_bins


def test_whatever_else_lies_in_the_folder_is_no_record(
    call: Client, archive: Archive, tmp_path: Path
) -> None:
    record(call)
    play(call)
    name = finish(call)
    outside = tmp_path / "outside.nwb"
    outside.write_bytes(b"of somebody else")
    strange = os.fsencode(archive.folder)
    for file in (b"\xff\xfe.nwb", b"two\nlines.nwb", b"bell\x07.journal"):
        Path(os.fsdecode(os.path.join(strange, file))).write_bytes(b"x")
    (archive.folder / "folder.nwb").mkdir()
    (archive.folder / "folder.journal").mkdir()
    os.mkfifo(archive.folder / "pipe.nwb")
    os.mkfifo(archive.folder / "pipe.journal")
    (archive.folder / "way-out.nwb").symlink_to(outside)
    (archive.folder / "way-out.journal").symlink_to(outside)
    (archive.folder / "inside.nwb").symlink_to(f"{name}.nwb")
    (archive.folder / "nowhere.nwb").symlink_to("nowhere")
    (archive.folder / "round.nwb").symlink_to("round.nwb")
    archive.finish_left()

    listed = {each["name"] for each in call("GET", "/api/records").json["records"]}
    assert listed == {name, "inside"}
    for other in ("folder", "pipe", "way-out", "nowhere", "round", "two%0Alines", "%FF%FE"):
        assert call("GET", f"/api/records/{other}.nwb").status in (400, 404, 422)


@pytest.mark.parametrize("removed", ["folder", "journal", "moved"])
def test_record_whose_folder_is_removed_has_failed_at_once(
    call: Client, archive: Archive, removed: str
) -> None:
    record(call)
    play(call)
    if removed == "moved":
        archive.folder.rename(archive.folder.with_name("elsewhere"))
    elif removed == "folder":
        shutil.rmtree(archive.folder)
    else:
        next(archive.folder.iterdir()).unlink()
    wait_until(lambda: call("GET", "/api/sessions/deck/record").json["state"] == "failed", PATIENCE)
    told = call("GET", "/api/sessions/deck/record").json
    assert (told["state"], told["bins"], told["bytes"], told["seconds"]) == ("failed", 0, 0, 0.0)
    assert told["error"].endswith("moved while it was recorded. Nothing of it is here: record again.")
    play(call)
    assert call("GET", "/api/records").json["count"] == 0
    assert record(call).json["state"] == "recording"
