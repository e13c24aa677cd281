"""Settings of electrodes and of detection over REST: when a session is made, and while it plays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.sinks.record.journal import read_journal
from sessions.archive import settings_of
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import Keeper
from tests.sessions.serving import Client, serving

ELECTRODES, DETECTION = "/api/sessions/deck/electrodes", "/api/sessions/deck/detection"


@pytest.fixture
def ask() -> Iterator[Client]:
    with serving(Store({"small": small_recording()})) as made:
        yield made


def events(ask: Client) -> list[str]:
    return [each["text"] for each in ask("GET", "/api/sessions/deck/events").json["events"]]


def message(ask: Client, method: str, path: str, body: Any, status: int = 422) -> str:
    reply = ask(method, path, body)
    assert reply.status == status, reply.content
    said: str = reply.json["error"]["message"]
    assert "\n" not in said
    return said


def test_a_session_is_made_with_settings_that_its_view_and_its_record_tell(ask: Client) -> None:
    chosen = {"pink": 15, "drift": 0.2, "amplitude": [60, 90], "dead": [3], "shorted": [[0, 1]]}
    ask.create("deck", source="electrodes:4", seed=7, electrodes=chosen, detection={"k": 4.5, "low": 250})
    view = ask("GET", "/api/sessions/deck").json
    assert view["electrodes"].items() >= chosen.items()
    assert view["electrodes"]["line_frequency"] == 50
    assert not {"n_channels", "seed", "baseline"} & set(view["electrodes"])
    assert view["detection_settings"].items() >= {"k": 4.5, "low": 250, "reference": False}.items()
    assert view["detection"] is None
    kept = settings_of(ask.store.get("deck"))
    assert (kept["electrodes"]["n_channels"], kept["electrodes"]["seed"]) == (4, 7)
    assert (kept["electrodes"]["pink"], kept["detection"]["k"]) == (15, 4.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"electrodes": {"pink": 20}}, "source is recording has no electrodes. Leave electrodes and det"),
        (
            {"source": "user", "detection": {"k": 4}},
            "user has no electrodes. Leave electrodes and detection out, or send source user:skilled:el",
        ),
        ({"source": "electrodes:4", "electrodes": {"dead": [4]}}, "Unknown channel 4. There are 0 to 3."),
        ({"source": "electrodes:4", "electrodes": {"pink": -1}}, "electrodes.pink"),
        ({"source": "electrodes:4", "electrodes": {"n_channels": 8}}, "electrodes.n_channels"),
        ({"source": "electrodes:4", "electrodes": {"amplitude": [90, 9000]}}, "amplitude"),
        (
            {"source": "electrodes:4", "electrodes": {"amplitude": [120, 40]}},
            "amplitude is a least and a greatest value within 0 and 5000, not 120 and 40.",
        ),
        ({"source": "electrodes:4", "electrodes": {"shorted": [[1]]}}, "electrodes.shorted"),
        ({"source": "electrodes:4", "detection": {"k": 1.0}}, "detection.k"),
        ({"source": "electrodes:4", "detection": {"thresholds": [[4, -60]]}}, "Unknown channel 4."),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(ask: Client, options: dict[str, Any], said: str) -> None:
    assert said in message(ask, "POST", "/api/sessions", {"custom_code": "deck", **options})
    assert ask("GET", "/api/sessions/deck").status == 404


def test_features_are_those_of_the_bins_that_were_sent(ask: Client) -> None:
    made_with = {"source": "electrodes:4", "detection": {"missing": [2], "fitted_on": 256}}
    ask.create("deck", **made_with, speed=8.0)
    replay = ask.store.get("deck").replay
    keeper = Keeper(replay)
    ask("POST", "/api/control/deck/resume")
    keeper.wait_rows(100)
    replay.pause()
    answer = ask("GET", "/api/sessions/deck/features?since=10").json
    assert answer["names"] == ["threshold_crossings", "spike_band_power", "component_1", "component_2"]
    rows = keeper.rows[10:]
    assert [each["sequence_number"] for each in answer["bins"]] == rows["sequence_number"].tolist()
    assert answer["next"] == rows["sequence_number"][-1] + 1
    for each, row in zip(answer["bins"], rows, strict=True):
        crossings, power, *scores = zip(*each["values"], strict=True)
        assert crossings[2] is power[2] is scores[0][2] is None  # it is left out
        assert [n or 0 for n in crossings] == row["counts"].tolist()
        assert all(p > 0 for p in power if p is not None)
    assert any(each["values"][0][2] for each in answer["bins"][-20:])  # there are components by then
    assert len(ask("GET", "/api/sessions/deck/features").json["bins"]) == 1
    assert ask("GET", f"/api/sessions/deck/features?since={answer['next']}").json["bins"] == []
    ask.create("other")
    assert "has no features" in message(ask, "GET", "/api/sessions/other/features", None, 409)
    ask.create("loop", source="user")
    said = message(ask, "PUT", "/api/sessions/loop/electrodes", {"dead": [1]}, 409)
    assert said.endswith("make a session with source user:electrodes for the rest.")


def test_what_is_changed_while_it_plays_is_told_and_kept_with_its_record(ask: Client) -> None:
    ask.create("deck", source="electrodes:4", speed=4.0)
    record = ask("POST", "/api/sessions/deck/record", {}).json["name"]
    keeper = Keeper(ask.store.get("deck").replay)
    assert ask("PUT", DETECTION, {"k": 4.5, "reference": True}).json["k"] == 4.5
    assert ask("PUT", ELECTRODES, {"dead": [2], "noisy": [0], "noisy_level": 50}).json["noisy"] == [0]
    assert ask("PUT", ELECTRODES, {"dead": [2]}).json["dead"] == [2]
    assert events(ask) == [
        "detection k 4.5, reference on from bin 16",
        "electrodes dead 2, noisy 0, noisy_level 50 from bin 16",
    ]
    ask("POST", "/api/control/deck/resume")
    keeper.wait_rows(90)
    view = ask("GET", "/api/sessions/deck").json
    assert (view["electrodes"]["dead"], view["detection_settings"]["reference"]) == ([2], True)
    found = view["detection"]
    assert found["channels"]["threshold"] == pytest.approx(
        [-4.5 * level for level in found["channels"]["noise_uv"]], abs=0.01
    )
    assert found["channels"]["recall"][2] == 0.0
    assert found["channels"]["noise_uv"][2] < found["noise_uv"] < found["channels"]["noise_uv"][0]
    with (ask.archive.folder / f"{record}.journal").open("rb") as journal:
        ask("DELETE", "/api/sessions/deck/record")
        kept = read_journal(journal, record, None)
    for name in ("noise_uv", "recall", "precision", "timing_error_ms"):
        assert [len(kept.detection[name]), len(found["channels"][name])] == [4, 4]
    assert kept.detection["recall"][2] == 0.0
    assert kept.settings[0]["electrodes"]["dead"] == []
    assert kept.settings[-1]["electrodes"]["dead"] == [2]
    assert kept.settings[-1]["detection"]["k"] == 4.5
    assert [note.text for note in kept.notes][:2] == [
        "detection k 4.5, reference on from bin 16",
        "electrodes dead 2, noisy 0, noisy_level 50 from bin 16",
    ]


def test_thresholds_are_set_by_hand_and_given_back(ask: Client) -> None:
    ask.create("deck", source="electrodes:4", speed=4.0, detection={"thresholds": [[3, -70]]})
    keeper = Keeper(ask.store.get("deck").replay)
    assert ask("PUT", DETECTION, {"thresholds": [[1, -52.5], [3, -70]]}).json["thresholds"] == [
        [1, -52.5],
        [3, -70],
    ]
    assert ask("PUT", DETECTION, {"thresholds": [[3, -70], [1, -52.5]]}).json["k"] == 4.0
    ask("POST", "/api/control/deck/resume")
    keeper.wait_rows(90)
    found = ask("GET", "/api/sessions/deck").json["detection"]["channels"]
    by_noise = [-4 * level for level in found["noise_uv"]]
    assert found["threshold"] == pytest.approx([by_noise[0], -52.5, by_noise[2], -70], abs=0.01)
    assert ask("PUT", DETECTION, {"thresholds": []}).json["thresholds"] == []
    assert events(ask)[0] == "detection thresholds 1:-52.5,3:-70 from bin 16"
    assert events(ask)[-1].startswith("detection thresholds none from bin ")


def test_channels_that_are_left_out_count_nothing_for_decoders(ask: Client) -> None:
    ask.create("deck", source="electrodes:4", speed=4.0, detection={"missing": [1]})
    replay = ask.store.get("deck").replay
    keeper = Keeper(replay)
    assert ask("PUT", DETECTION, {"missing": [2]}).json["missing"] == [2]
    ask("POST", "/api/control/deck/resume")
    keeper.wait_rows(120)
    counts = replay.ring.column("counts")
    assert (counts[:16, 1].any(), counts[16:120, 2].any()) == (False, False)
    assert counts[16:120, 1].any()
    found = ask("GET", "/api/sessions/deck").json["detection"]["channels"]
    assert found["threshold"][2] is None
    assert events(ask)[0] == "detection missing 2 from bin 16"


def test_what_cannot_be_changed_while_it_plays_is_refused(ask: Client) -> None:
    ask.create("deck", source="electrodes:4")
    for path, body, said in (
        (ELECTRODES, {"dead": [4]}, "Unknown channel 4. There are 0 to 3."),
        (ELECTRODES, {"amplitude": [1, 2]}, "amplitude"),
        (DETECTION, {"k": 11}, "k"),
        (DETECTION, {"low": 200}, "low"),
        (DETECTION, {"thresholds": [[4, -60]]}, "Unknown channel 4. There are 0 to 3."),
        (DETECTION, {"thresholds": [[0, 60]]}, "A threshold is below 0 uV, not 60."),
        (DETECTION, {"thresholds": [[0, -60], [0, -50]]}, "Channel 0 has two thresholds."),
        (ELECTRODES, {"dead": [3, 3]}, "dead has something twice."),
        (ELECTRODES, {"shorted": [[1, 1]]}, "A short is between two channels, not"),
        (ELECTRODES, {"shorted": [[0, 1], [1, 0]]}, "shorted has something twice."),
        (DETECTION, {"missing": [1, 1]}, "missing has something twice."),
        (DETECTION, {"missing": [4]}, "Unknown channel 4. There are 0 to 3."),
        (DETECTION, {"reference": None}, "reference"),
    ):
        assert said in message(ask, "PUT", path, body)
    assert events(ask) == []
    ask.create("other")
    refused = message(ask, "PUT", "/api/sessions/other/detection", {"k": 4}, status=409)
    assert refused.startswith("A session whose source is recording has no detection.")
    assert refused.endswith("make a session with source electrodes for the rest.")
