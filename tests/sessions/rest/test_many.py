"""Many sessions in one call: alike, all or none, within the limits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sessions.store import Store
from tests.builders import small_recording
from tests.sessions.serving import DASHBOARD_PORT, Client, Reply, serving

MakeClient = Callable[..., Client]


@pytest.fixture
def serve() -> Iterator[MakeClient]:
    """Serves a store with one small recording."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(serving(Store({"small": small_recording()}, **options)))


def refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert "\n" not in reply.json["detail"]
    return reply.json["detail"]


def many(call: Client, **asked: Any) -> Reply:
    return call("POST", "/api/sessions/many", asked)


def test_forty_sessions_of_one_address_fit_and_have_all_their_addresses(serve: MakeClient) -> None:
    call = serve()
    made = many(call, prefix="class", count=40).json
    codes = [f"class-{i:02d}" for i in range(1, 41)]
    assert [each["session_code"] for each in made["sessions"]] == codes
    assert list(call.store.sessions) == codes
    last, page = made["sessions"][-1], f"http://127.0.0.1:{DASHBOARD_PORT}"
    assert last["stream_url"] == f"ws://127.0.0.1:{call.port}/stream/class-40"
    assert last["dashboard_url"] == f"{page}/live?session=class-40"
    assert last["look_url"].startswith(f"{page}/look/session?session=class-40&look=")
    assert len({each["look_url"] for each in made["sessions"]}) == 40
    assert made["wall_url"] == f"{page}/wall?prefix=class"
    assert made["print_url"] == f"{page}/print?prefix=class"


def test_options_hold_for_all_and_numbers_are_as_wide_as_the_last(serve: MakeClient) -> None:
    call = serve(max_sessions=100)
    made = many(call, prefix="x", count=100, seed=7, speed=2.0, target_ids=[1]).json
    assert [made["sessions"][i]["session_code"] for i in (0, 99)] == ["x-001", "x-100"]
    for session in call.store.sessions.values():
        assert (session.replay.seed, session.replay.speed) == (7, 2.0)
        assert session.replay.selection.target_ids == (1,)


def test_what_does_not_fit_is_refused_in_one_line_and_nothing_is_made(serve: MakeClient) -> None:
    call = serve(max_sessions=41, max_per_address=41)
    call.create("mine")
    assert refused(many(call, count=41), 503, "too_many_sessions") == (
        "41 sessions do not fit: 1 of 41 places are taken. "
        "Ask for fewer, delete some, or raise --max-sessions."
    )
    assert list(call.store.sessions) == ["mine"]
    assert many(call, count=40).status == 200
    assert len(call.store.sessions) == 41  # and nobody has made room


def test_an_address_may_not_make_more_at_once_than_one_by_one(serve: MakeClient) -> None:
    call = serve(max_sessions=50, max_per_address=20)
    call.create("mine")
    assert refused(many(call, count=20), 429, "too_many") == (
        "20 sessions are too many for 127.0.0.1, which has made 1 of at most 20. "
        "Ask for fewer, or raise --sessions-per-address."
    )
    assert list(call.store.sessions) == ["mine"]
    assert many(call, count=19).status == 200


def test_codes_that_are_taken_are_named_and_left_alone(serve: MakeClient) -> None:
    call = serve()
    call.create("class-03", seed=5)
    said = refused(many(call, count=4), 409, "conflict")
    assert said == "Session class-03 is there already. Choose another prefix."
    call.create("class-04")
    assert "class-03 and 1 more are" in refused(many(call, count=4), 409, "conflict")
    assert list(call.store.sessions) == ["class-03", "class-04"]
    assert call.store.get("class-03").replay.seed == 5


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"count": 0}, 422, "invalid"),
        ({"count": 101}, 422, "invalid"),
        ({"prefix": "a/b"}, 422, "invalid"),
        ({"prefix": ""}, 422, "invalid"),
        ({"custom_code": "x"}, 422, "invalid"),
        ({"trial_ids": [99]}, 404, "unknown_trial"),
        ({"recording": "other"}, 404, "unknown_recording"),
        ({"source": "lsl:nobody"}, 422, "bad_setting"),
    ],
)
def test_a_bad_option_makes_none_and_no_link(
    serve: MakeClient, asked: dict[str, Any], status: int, code: str
) -> None:
    call = serve()
    refused(many(call, **{"count": 3, **asked}), status, code)
    assert not call.store.sessions
    assert call("GET", "/api/links").json["count"] == 0
    assert not [each for each in threading.enumerate() if each.name.startswith("replay class")]


def test_without_room_for_their_links_there_are_no_sessions_either(serve: MakeClient) -> None:
    call = serve(max_sessions=100)
    for _ in range(19):
        call("POST", "/api/links", {"session": None})
    for i in range(9):
        assert many(call, prefix=f"x{i}", count=100).status == 200
        for code in list(call.store.sessions):
            call.store.delete(code)
    assert "919 links of at most 1000" in refused(many(call, count=100), 429, "too_many")
    assert not call.store.sessions


def test_sessions_that_are_made_again_take_no_further_links(serve: MakeClient) -> None:
    call, looks = serve(), []
    for _ in range(2):
        looks.append([each["look_url"] for each in many(call, count=3).json["sessions"]])
        for code in list(call.store.sessions):
            call.store.delete(code)
    assert looks[0] == looks[1]
    assert call("GET", "/api/links").json["count"] == 3
