"""REST as clients meet it: a real server on a free port."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import pytest

from engine.answers.safety import Limits
from engine.bins import clock
from engine.stages.perturb import MODELS
from engine.stages.perturb.noise import Noise
from engine.view import PLAIN, View
from sessions.gate import MAX_BODY
from sessions.gate.rules import METHODS
from sessions.store import Store
from tests.benchmarks.dashboard import wait_until
from tests.builders import small_recording
from tests.engine.listening import Notebook
from tests.sessions.serving import DASHBOARD_PORT, Client, serving


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        yield client


def refused(reply, status, code):
    """The message of an error in the contract's form."""
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert reply.json["detail"] == reply.json["error"]["message"]
    return reply.json["detail"]


# Sessions


@pytest.mark.parametrize("path", ["/api/sessions", "/api/sessions/create"])
def test_both_addresses_make_a_session_with_a_code_from_body_or_query(call, path):
    assert call("POST", path, {"custom_code": "in-body"}).json["session_code"] == "in-body"
    assert call("POST", f"{path}?custom_code=in-query").json["session_code"] == "in-query"
    assert set(call.store.sessions) == {"in-body", "in-query"}


def test_an_empty_body_makes_a_readable_code(call):
    reply = call("POST", "/api/sessions/create", b"", Content_Type="application/json")
    assert reply.status == 200
    assert reply.json["session_code"] in call.store.sessions


def test_an_empty_code_is_as_if_left_out(call):
    for path, body in (("/api/sessions", {"custom_code": ""}), ("/api/sessions?custom_code=", None)):
        assert call("POST", path, body).json["session_code"] in call.store.sessions


def test_addresses_have_the_host_name_that_the_client_used(call):
    created = call("POST", "/api/sessions?custom_code=deck", Host="rig.lab:80").json
    assert created["stream_url"] == f"ws://rig.lab:{call.port}/stream/deck"
    assert created["binary_url"] == f"ws://rig.lab:{call.port}/stream/binary/deck"
    assert created["dashboard_url"] == f"http://rig.lab:{DASHBOARD_PORT}/live?session=deck"


def test_options_of_a_new_session_are_in_force(call):
    call.create(target_ids=[1], seed=7, speed="max", loop=False, perturbation={"preset": "light"})
    view = call("GET", "/api/sessions/deck").json
    assert (view["seed"], view["speed"], view["loop"], view["current_packet"]) == (7, "max", False, 50)
    assert call("GET", "/api/sessions/deck/selection").json["target_ids"] == [1]
    assert call("GET", "/api/sessions/deck/perturbation").json["noise"] == {"enabled": True, "sd": 0.2}


def test_an_existing_code_answers_with_its_session_unless_other_options_are_asked(call):
    first = call("POST", "/api/sessions", {"custom_code": "deck", "trial_ids": [1, 2]}).json
    for same in ({}, {"trial_ids": [2, 1, 1]}, {"recording": "small"}, {"speed": 1, "loop": True}):
        again = call("POST", "/api/sessions", {"custom_code": "deck", **same})
        assert again.json["created"] == first["created"]
    for other in ({"trial_ids": [1]}, {"speed": 2}, {"loop": False}):
        refused(call("POST", "/api/sessions", {"custom_code": "deck", **other}), 409, "conflict")


def test_a_session_says_what_its_source_can_do_and_when_it_was_used(call):
    created = call("POST", "/api/sessions", {"custom_code": "deck", "source": "recording"}).json
    assert call("POST", "/api/sessions", {"custom_code": "deck", "source": "recording"}).status == 200
    view = call("GET", "/api/sessions/deck").json
    assert view["source"] == "recording"
    assert {"seek", "select", "speed", "loop"} <= set(view["can"])
    assert view["created"] == created["created"] <= view["last_active"]
    assert call("GET", "/api/sessions").json["sessions"]["deck"]["created"] == created["created"]


def test_a_bad_option_makes_no_session(call):
    for options, status, code in (
        ({"recording": "other"}, 404, "unknown_recording"),
        ({"trial_ids": [99]}, 404, "unknown_trial"),
        ({"target_ids": [9]}, 404, "unknown_target"),
        ({"trial_ids": [0], "target_ids": [1]}, 404, "empty_selection"),
        ({"speed": 0.01}, 422, "bad_setting"),
        ({"seed": -1}, 422, "invalid"),
        ({"source": "lsl"}, 422, "bad_setting"),
        ({"source": 7}, 422, "invalid"),
        ({"perturbation": {"preset": "wild"}}, 422, "bad_setting"),
        ({"custom_code": "not/a/code"}, 422, "bad_session_code"),
        ({"custom_code": "binary"}, 422, "bad_session_code"),
    ):
        refused(call("POST", "/api/sessions", options), status, code)
    assert not call.store.sessions


def test_a_full_server_answers_503():
    with serving(Store({"small": small_recording()}, max_sessions=1)) as call:
        call.create("one")
        call.store.get("one").admit(None)
        refused(call("POST", "/api/sessions"), 503, "too_many_sessions")


def test_at_the_limit_a_bad_option_evicts_nobody():
    with serving(Store({"small": small_recording()}, max_sessions=1)) as call:
        call.create("one")
        refused(call("POST", "/api/sessions", {"trial_ids": [99]}), 404, "unknown_trial")
        assert set(call.store.sessions) == {"one"}
        call.create("two")
        assert set(call.store.sessions) == {"two"}


def test_listing_does_not_count_as_use_but_a_call_on_a_session_does(call, monkeypatch):
    now = 100.0
    monkeypatch.setattr(clock, "now", lambda: now)
    call.create()
    now = 110.0
    assert call("GET", "/api/sessions").json["sessions"]["deck"]["idle_seconds"] == 10
    assert call("GET", "/api/sessions/deck").json["idle_seconds"] == 10
    now = 113.0
    assert call("GET", "/api/sessions").json["sessions"]["deck"]["idle_seconds"] == 3


def test_a_session_with_decoders_is_deleted_only_by_force(call):
    call.create()
    call.store.get("deck").admit(None)
    assert "1 decoder" in refused(call("DELETE", "/api/sessions/deck"), 409, "conflict")
    assert call("DELETE", "/api/sessions/deck?force=true").json["status"] == "deleted"
    refused(call("DELETE", "/api/sessions/deck"), 404, "unknown_session")


def test_cleanup_ends_what_is_over():
    with serving(Store({"small": small_recording()}, ttl=0.0)) as call:
        call.create()
        assert call("POST", "/api/sessions/cleanup").json["cleaned_up"] == 1
        assert call("GET", "/api/sessions").json["total_sessions"] == 0


# Control


def test_transport_says_what_it_did(call):
    call.create()
    for action, status in (("pause", "paused"), ("resume", "resumed"), ("stop", "stopped")):
        assert call("POST", f"/api/control/deck/{action}").json == {
            "status": status,
            "session_code": "deck",
        }
    assert call("GET", "/api/sessions/deck").json["state"] == "stopped"
    refused(call("POST", "/api/control/deck/step"), 409, "not_now")


def test_seek_in_a_body_goes_before_one_in_the_query(call):
    call.create()
    call("POST", "/api/control/deck/pause")
    for query in ("packet_id=3", "trial_id=1", "position_seconds=1"):
        reply = call("POST", f"/api/control/deck/seek?{query}", {"packet_id": 7})
        assert reply.json["packet_id"] == 7


def test_step_sends_one_packet_and_stays_paused(call):
    call.create()
    session = call.store.get("deck")
    sent = threading.Event()

    class Listener:
        def wake(self):
            if session.ring.head:
                sent.set()

        def floor(self):
            return 0

    session.replay.add_listener(Listener())
    assert call("POST", "/api/control/deck/step").json["status"] == "stepped"
    assert sent.wait(5)
    view = call("GET", "/api/sessions/deck").json
    assert (view["packets_sent"], view["is_paused"], view["current_packet"]) == (1, True, 1)


@pytest.mark.parametrize(
    ("asked", "packet_id"),
    [({"packet_id": 7}, 7), ({"position_seconds": 0.075}, 3), ({"trial_id": 3}, 150)],
)
def test_seek_takes_packet_second_or_trial_in_body_or_query(call, asked, packet_id):
    call.create()
    call("POST", "/api/control/deck/pause")
    ((name, value),) = asked.items()
    for reply in (
        call("POST", "/api/control/deck/seek", asked),
        call("POST", f"/api/control/deck/seek?{name}={value}"),
    ):
        assert reply.json == {
            "status": "seeked",
            "session_code": "deck",
            "position_seconds": packet_id / 40,
            "packet_id": packet_id,
        }
    position = call("GET", "/api/control/deck/position").json
    assert position == {
        "session_code": "deck",
        "position_seconds": packet_id / 40,
        "current_index": packet_id,
        "packet_id": packet_id,
        "duration_seconds": 5.0,
        "is_playing": False,
        "is_paused": True,
    }


def test_seconds_count_from_the_beginning_of_a_recording_that_starts_late():
    with serving(Store({"late": small_recording(start_time=100.0)})) as call:
        call.create()
        assert call("POST", "/api/control/deck/seek?position_seconds=1").json["packet_id"] == 40
        refused(call("POST", "/api/control/deck/seek?position_seconds=101"), 409, "outside_selection")


def test_seek_to_a_trial_finds_its_first_selected_packet(call):
    call.create()
    call("PUT", "/api/sessions/deck/selection", {"target_ids": [0], "from": "go_cue"})
    assert call("POST", "/api/control/deck/seek", {"trial_id": 3}).json["packet_id"] == 165
    assert call("GET", "/api/control/deck/position").json["current_index"] == 35
    for asked in ({"trial_id": 1}, {"packet_id": 150}, {"position_seconds": 5.0}):
        refused(call("POST", "/api/control/deck/seek", asked), 409, "outside_selection")
    refused(call("POST", "/api/control/deck/seek", {"trial_id": 9}), 404, "unknown_trial")


@pytest.mark.parametrize(
    "asked",
    [{}, {"packet_id": 1, "trial_id": 1}, {"packet_id": -1}, {"packet_id": 1.5}, {"position_seconds": "1"}],
)
def test_a_seek_to_nowhere_is_refused(call, asked):
    call.create()
    refused(call("POST", "/api/control/deck/seek", asked), 422, "invalid")


# Settings of a session


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("selection", {"trial_ids": [1, 3], "success": True, "begin": "go_cue", "end_offset": 0.1}),
        ("selection", {"first_packet": 20, "last_packet": 99}),
        ("speed", {"speed": 2.5}),
        ("speed", {"speed": "max"}),
        ("loop", {"loop": False}),
        ("perturbation", {"preset": "moderate"}),
        ("perturbation", {"drift": {"enabled": True, "period": 30}}),
        ("view", {"order": "direction", "hit_radius": 7.5}),
        ("view", {"hidden_units": [1, 3]}),
    ],
)
def test_what_is_read_can_be_sent_back(call, name, value):
    call.create()
    path = f"/api/sessions/deck/{name}"
    changed = call("PUT", path, value)
    assert changed.status == 200
    assert changed.json.items() >= (value.items() if name != "perturbation" else set())
    assert call("GET", path).json == changed.json
    assert call("PUT", path, changed.json).json == changed.json


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("selection", {"target_ids": [9]}, 404, "unknown_target"),
        ("selection", {"begin": "lunch"}, 422, "invalid"),
        ("selection", {"trial_ids": "3"}, 422, "invalid"),
        ("speed", {"speed": 101}, 422, "bad_setting"),
        ("speed", {"speed": True}, 422, "invalid"),
        ("speed", {}, 422, "invalid"),
        ("loop", {"loop": "yes"}, 422, "invalid"),
        ("perturbation", {"hum": {"enabled": True}}, 422, "bad_setting"),
        ("perturbation", {"noise": {"sd": -1}}, 422, "bad_setting"),
        ("view", {"order": "size"}, 422, "bad_setting"),
        ("view", {"order": "rate", "hit_radius": 0}, 422, "bad_setting"),
        ("view", {"hidden_units": [5]}, 422, "bad_setting"),
        ("view", {"hidden_units": "all"}, 422, "bad_setting"),
        ("view", {"colour": "red"}, 422, "bad_setting"),
        ("view", {"hit_radius": None}, 422, "bad_setting"),
        ("perturbation", {"noise": {"loudness": 1}}, 422, "bad_setting"),
        ("perturbation", {"noise": 3}, 422, "bad_setting"),
        ("perturbation", {"preset": "light", "noise": {"sd": 1}}, 422, "bad_setting"),
        ("safety", {"watchdog": 0}, 422, "bad_setting"),
    ],
)
def test_a_bad_setting_changes_nothing(call, name, value, status, code):
    call.create()
    path = f"/api/sessions/deck/{name}"
    before = call("GET", path).json
    refused(call("PUT", path, value), status, code)
    assert call("GET", path).json == before


def test_a_refusal_within_a_model_names_its_field_and_its_bound(call):
    call.create()
    path = "/api/sessions/deck/perturbation"
    wrong = refused(call("PUT", path, {"noise": {"sd": 11}}), 422, "bad_setting")
    assert wrong == "Field 'noise.sd' is 11. Send a number less than or equal to 10."
    unknown = refused(call("PUT", path, {"noise": {"loudness": 1}}), 422, "bad_setting")
    assert unknown == "Unknown field 'noise.loudness'. There are enabled, sd."


def test_a_value_of_a_wrong_kind_is_told_what_to_send(call):
    call.create()
    wrong = refused(call("PUT", "/api/sessions/deck/view", {"bookmarks": [1.5]}), 422, "bad_setting")
    assert wrong == "Field 'bookmarks[0]' is 1.5. Send a valid integer."
    wrong = refused(call("PUT", "/api/sessions/deck/loop", {"loop": "maybe"}), 422, "invalid")
    assert wrong == "Field 'loop' is \"maybe\". Send a valid boolean."


def test_a_session_that_is_not_there_is_told_before_what_is_wrong_with_the_rest(call):
    refused(call("PUT", "/api/sessions/nobody/loop", {"loop": "maybe"}), 404, "unknown_session")


def test_what_may_be_asked_is_documented_with_the_bounds_of_the_engine(call):
    schemas = call("GET", "/openapi.json").json["components"]["schemas"]
    sd = schemas["NoiseAsk"]["properties"]["sd"]
    assert (sd["minimum"], sd["maximum"], sd["description"]) == (0, 10, Noise.param.sd.doc)
    radius = schemas["ViewAsk"]["properties"]["hit_radius"]
    assert (radius["exclusiveMinimum"], radius["maximum"]) == (0, 1000)
    assert schemas["ViewAsk"]["properties"]["order"]["enum"] == View.param.order.objects
    assert schemas["SafetyAsk"]["properties"]["watchdog"]["minimum"] == Limits.param.watchdog.bounds[0]
    assert set(schemas["PerturbationAsk"]["properties"]) == {"preset", *(model.key for model in MODELS)}


def test_a_scenario_is_a_timetable_and_its_pace_alone_ends_none(call):
    call.create("days")
    path = "/api/sessions/days/timetable"
    steps = call("PUT", path, {"scenario": "days", "pace": 60}).json["steps"]
    assert [each["at"] for each in steps] == [0, 60, 120, 180, 240]
    refused = call("PUT", path, {"pace": 60})
    assert (refused.status, "A pace is that of a scenario." in refused.json["detail"]) == (422, True)
    assert call("GET", path).json["steps"] == steps


def test_a_timetable_is_set_shown_and_part_of_a_new_session(call):
    steps = [
        {"at": 300.0, "perturbation": {"unit_loss": {"enabled": True, "fraction": 0.2}}},
        {"at": 120.0, "perturbation": {"drift": {"enabled": True}}},
    ]
    call.create("deck", timetable=steps)
    path = "/api/sessions/deck/timetable"
    assert call("GET", path).json == {"steps": steps[::-1]}
    assert call("PUT", path, {"steps": steps[:1]}).json == {"steps": steps[:1]}
    wrong = refused(
        call("PUT", path, {"steps": [{"at": 1, "perturbation": {"noise": {"sd": 11}}}]}), 422, "bad_setting"
    )
    assert wrong == "Field 'steps[0].perturbation.noise.sd' is 11. Send a number less than or equal to 10."
    assert call("GET", path).json == {"steps": steps[:1]}
    assert call("PUT", path, {"steps": []}).json == {"steps": []}


def test_a_view_changes_in_part_and_its_refusals_say_what_there_is(call):
    call.create()
    path = "/api/sessions/deck/view"
    plain = PLAIN.settings
    assert call("GET", path).json == plain
    call("PUT", path, {"order": "rate"})
    changed = call("PUT", path, {"hidden_units": [3, 0, 3], "bookmarks": [7]}).json
    assert changed == {**plain, "order": "rate", "hidden_units": [0, 3], "bookmarks": [7]}
    unknown = refused(call("PUT", path, {"hidden_units": [7]}), 422, "bad_setting")
    assert unknown == "Unknown unit 7. There are units 0 to 4."
    wrong = refused(call("PUT", path, {"order": "size"}), 422, "bad_setting")
    assert wrong == "Field 'order' is \"size\". Send 'index', 'rate' or 'direction'."
    assert "less than or equal to 1000" in refused(
        call("PUT", path, {"hit_radius": 2000}), 422, "bad_setting"
    )


def test_unknown_targets_are_answered_with_those_there_are(call):
    call.create()
    for reply in (
        call("GET", "/api/trials/by-target/9"),
        call("PUT", "/api/sessions/deck/selection", {"target_ids": [9]}),
    ):
        assert (
            refused(reply, 404, "unknown_target") == "Unknown target 9. This recording has targets 0 to 2."
        )


# Recordings


def test_trials_have_the_columns_of_the_file_and_null_for_what_is_missing(call):
    trials = call("GET", "/api/trials").json
    assert trials["count"] == trials["total_trials"] == len(trials["trials"]) == 4
    failed = call("GET", "/api/trials/2").json
    assert failed == trials["trials"][2]
    assert failed["move_onset_time"] is None
    assert (failed["success"], failed["maze_id"], failed["split"]) == (False, 2, "train")
    assert failed["target_id"] == failed["active_target"] == 2
    assert failed["target_pos"][2] == [failed["target_x"], failed["target_y"]] == [-100.0, 0.0]


def test_trials_of_a_target(call):
    found = call("GET", "/api/trials/by-target/0").json
    assert ([t["trial_id"] for t in found["trials"]], found["count"], found["target_index"]) == (
        [0, 3],
        2,
        0,
    )


def test_each_recording_has_its_metadata_and_trials():
    recordings = {"a": small_recording(name="a"), "b": small_recording(n_units=9, n_trials=2, name="b")}
    with serving(Store(recordings)) as call:
        assert call("GET", "/api/recordings").json == {"recordings": ["a", "b"], "count": 2, "default": "a"}
        assert call("GET", "/api/metadata").json["num_channels"] == 5
        metadata = call("GET", "/api/metadata?recording=b").json
        assert metadata["num_channels"] == metadata["channel_count"] == len(metadata["channel_names"]) == 9
        assert call("GET", "/api/trials?recording=b").json["count"] == 2
        refused(call("GET", "/api/metadata?recording=c"), 404, "unknown_recording")


def test_metadata_tell_what_is_doubtful_and_which_trials_were_taken():
    tables = {"taken": {"name": "reaches"}, "passed_over": [{"name": "rests", "reason": "x"}]}
    doubtful = replace(small_recording(), warnings=("a", "b"), trial_tables=MappingProxyType(tables))
    with serving(Store({"small": doubtful, "sure": small_recording(name="sure")})) as call:
        metadata = call("GET", "/api/metadata").json
        assert metadata["warnings"] == ["a", "b"]
        assert metadata["trial_tables"] == tables
        assert call("GET", "/api/metadata?recording=sure").json["warnings"] == []


# The server


def test_the_root_answers_programs_and_sends_browsers_to_the_dashboard(call):
    assert call("GET", "/").json["service"] == "PhantomDeck"
    reply = call("GET", "/", Accept="text/html,*/*;q=0.8", Host="rig.lab:1")
    assert (reply.status, reply.headers["Location"]) == (302, f"http://rig.lab:{DASHBOARD_PORT}/")


def test_health_counts_sessions_that_play_and_decoders(call):
    call.create("playing")
    call.create("waiting")
    call("POST", "/api/control/playing/resume")
    call.store.get("playing").admit(None)
    health = call("GET", "/health").json
    assert (health["sessions"], health["active_sessions"], health["active_connections"]) == (2, 1, 1)
    assert health["session_manager_initialized"] is True
    assert (health["model_loaded"], health["sinks"]) == (False, [])
    assert 0 <= health["buffer_size"] <= call.store.get("playing").ring.head


def test_a_session_whose_lsl_outlets_cannot_be_made_says_so_where_it_is_made():
    def broken(*_):
        raise OSError("no network")

    with serving(Store({"small": small_recording()}, make_sinks={"lsl": broken})) as call:
        said = "without LSL: its outlets have failed. The server's log says why."
        for begun in ("is ready", "was there already"):
            made = call("POST", "/api/sessions", {"custom_code": "deck"}).json
            assert made["message"] == f"Session deck {begun}, but {said}"
        view = call("GET", "/api/sessions/deck").json
        assert (view["lsl"], view["lsl_failed"], view["error"]) == (False, True, None)
        assert call("POST", "/api/control/deck/resume").status == 200
        health = call("GET", "/health").json
        assert (health["failed"], health["sinks"]) == ([], ["lsl of deck"])


class Breaking(Notebook):
    """A sink that fails at the first bin."""

    def push(self, rows):  # noqa: ARG002
        raise OSError("no network")


def test_a_failed_sink_is_told_of_and_moves_no_session():
    with serving(Store({"small": small_recording()}, make_sinks={"lab": lambda _: Breaking()})) as call:
        call.create()
        call("POST", "/api/control/deck/resume")
        wait_until(lambda: call("GET", "/health").json["sinks"] == ["lab of deck"], 20.0)
        assert call("GET", "/health").json["status"] == "healthy"
        view = call("GET", "/api/sessions/deck").json
        (sink,) = view["sinks"]
        assert (sink["name"], sink["state"], sink["error"]) == ("lab", "failed", "OSError: no network")
        assert (view["is_running"], view["lsl"]) == (True, False)
        metrics = call("GET", "/metrics?format=prometheus").content.decode()
        assert 'phantom_sink_up{session="deck",sink="lab"} 0.0' in metrics


def test_a_failed_replay_degrades_health(monkeypatch):
    with serving(Store({"small": small_recording()})) as call:
        assert call("GET", "/health").json["status"] == "healthy"
        call.create()

        def broken(_):
            raise OSError("no memory")

        monkeypatch.setattr(call.store.get("deck").ring, "publish_raw", broken)
        call("POST", "/api/control/deck/resume")
        wait_until(lambda: call("GET", "/health").json["failed"] == ["deck"], 20.0)
        health = call("GET", "/health").json
        assert (health["status"], health["sessions"]) == ("degraded", 1)
        refused(call("POST", "/api/control/deck/resume"), 409, "not_now")


def test_head_answers_as_get_without_a_body(call):
    for path in ("/api/metadata", "/api/trials", "/docs"):
        head, get = call("HEAD", path), call("GET", path)
        assert (head.status, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(get.content))


# Errors


def test_what_cannot_be_read_is_refused(call):
    for body in (b"{", b"custom_code=a", b"\xff\xfe", b'{"speed": NaN}', b"[" * 100_000):
        refused(call("POST", "/api/sessions", body), 400, "unreadable")
    for body in (b"[1]", b'"deck"', b"null"):
        refused(call("POST", "/api/sessions", body), 422, "invalid")


def test_a_refused_field_is_named_with_the_way_out(call):
    unknown = refused(call("POST", "/api/sessions", {"sped": 2}), 422, "invalid")
    assert unknown.startswith("Unknown field 'sped'. There are custom_code, recording,")
    wrong = refused(call("POST", "/api/sessions", {"trial_ids": [1, "two"]}), 422, "invalid")
    assert wrong == "Field 'trial_ids[1]' is \"two\". Send a valid integer."
    refused(call("GET", "/api/trials?limit=3"), 422, "invalid")
    refused(call("POST", "/api/sessions/cleanup", {"all": True}), 422, "invalid")


def test_a_token_in_the_query_is_not_part_of_what_is_asked(call):
    assert call("GET", "/api/trials?token=secret").status == 200


def test_a_body_above_the_limit_is_read_and_refused(call):
    body = b'{"custom_code": "' + b"x" * MAX_BODY * 4 + b'"}'
    assert "Send at most" in refused(call("POST", "/api/sessions", body), 413, "too_large")


def test_unknown_addresses_and_methods(call):
    for path in ("/api/nothing", "/api/trials/first", "/nothing", "/api"):
        refused(call("GET", path), 404, "not_found")
    reply = call("PUT", "/api/sessions", {})
    refused(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, POST"
    reply = call("BREW", "/api/sessions")
    refused(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, POST"
    refused(call("GET", "/api/sessions/nobody"), 404, "unknown_session")
    refused(call("GET", "/api/sessions/%ff"), 400, "unreadable")


def test_what_fails_is_logged_once_and_tells_clients_nothing(caplog):
    class Broken(dict):
        def __getitem__(self, name):
            raise RuntimeError("/home/lab/secret.nwb")

    with serving(Store(Broken(small=small_recording()))) as call, caplog.at_level(logging.ERROR, "tornado"):
        reply = call("GET", "/api/metadata?recording=small")
    assert "secret" not in refused(reply, 500, "internal")
    assert len([record for record in caplog.records if record.exc_info]) == 1


# Pages from elsewhere


def test_pages_of_other_origins_may_not_call(call):
    for method in ("GET", "POST", "OPTIONS"):
        refused(call(method, "/api/sessions", Origin="https://elsewhere.example"), 403, "forbidden")
    assert not call.store.sessions


def test_pages_of_our_own_ports_may_call(call):
    own = f"http://127.0.0.1:{DASHBOARD_PORT}"
    asked = call("OPTIONS", "/api/sessions", Origin=own, Access_Control_Request_Method="POST")
    assert (asked.status, asked.headers["Access-Control-Allow-Methods"]) == (204, METHODS)
    reply = call("POST", "/api/sessions", {}, Origin=own)
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, own)


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "9999999999"])
def test_a_long_number_is_an_id_that_there_is_not(number: str) -> None:
    with serving() as call:
        for path, code in (
            (f"/api/trials/{number}", "unknown_trial"),
            (f"/api/trials/by-target/{number}", "unknown_target"),
        ):
            reply = call("GET", path)
            assert (reply.status, reply.json["error"]["code"]) == (404, code)
            assert number in reply.json["error"]["message"]
