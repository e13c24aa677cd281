"""Calibration in closed loop: decoders of processes that learn from a block and drive in the next one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.listening import wait_until
from tests.sessions.serving import Client
from tests.sessions.test_closed_loop import client, deck

QUICK = {"task": {"hold": 0.1, "time_limit": 2.0}}
PATH = "/api/sessions/loop/calibration"


def ended(call: Client) -> dict[str, Any]:
    run = call.store.get("loop").guided
    assert run.wait(120.0)  # several processes start, one after the other
    reply: dict[str, Any] = call("GET", PATH).json
    return reply


def test_each_block_is_driven_by_what_has_learned_from_the_one_before_and_no_bin_is_left() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", speed=2, closed_loop=QUICK)
        begun = call("POST", PATH, {"decoder": "wiener", "blocks": 3, "trials": 3})
        assert (begun.status, begun.json["state"], begun.json["blocks"]) == (200, "collecting", [])
        call("POST", "/api/control/loop/resume")
        run = ended(call)
        session = call.store.get("loop")
        assert (run["state"], run["error"]) == ("done", None)
        assert [block["driver"] for block in run["blocks"]] == ["autopilot", "wiener-1", "wiener-2"]
        assert {block["n_trials"] for block in run["blocks"]} == {3}
        assert run["blocks"][0]["success"] == 1.0
        assert run["blocks"][0]["seconds"] > 0.3
        assert session.replay.source.driver == "wiener-2"
        assert list(session.launched.decoders) == ["wiener-2"]
        said = [event["text"] for event in call("GET", "/api/sessions/loop/events").json["events"]]
        swaps = [int(text.split()[-1]) for text in said if text.startswith("driver wiener")]
        lines, _ = session.predictions.ring.since(0)
        names = np.array(session.predictions.names)
        one, other = (lines["sequence_number"][names[lines["decoder"]] == f"wiener-{n}"] for n in (1, 2))
        assert one[0] <= swaps[0]
        assert other[0] <= swaps[1]  # both were there when the second took over
        answered = np.isin(np.arange(swaps[0], other[-1]), np.concatenate((one, other)))
        # A busy machine may make a decoder lose some, which is counted.
        assert (~answered).sum() <= sum(each.dropped for each in session.audiences)


def test_who_drives_already_drives_in_the_first_block() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", speed=2, driver="wiener", closed_loop=QUICK)
        call("POST", "/api/sessions/loop/decoders", {"decoder": "wiener"})
        call("POST", "/api/control/loop/resume")
        wait_until(lambda: call.store.get("loop").predictions.names == ["wiener"])
        call("POST", PATH, {"decoder": "wiener", "settings": {"lags": 2}, "blocks": 2, "trials": 2})
        run = ended(call)
        assert (run["state"], run["error"]) == ("done", None)
        assert [block["driver"] for block in run["blocks"]] == ["wiener", "wiener-1"]
        assert list(call.store.get("loop").launched.decoders) == ["wiener-1"]


def test_a_second_run_takes_names_that_nobody_has_had() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", speed=4, closed_loop=QUICK)
        call("POST", "/api/control/loop/resume")
        for names in (["autopilot", "wiener-1"], ["wiener-1", "wiener-2"]):
            call("POST", PATH, {"decoder": "wiener", "blocks": 2, "trials": 1})
            run = ended(call)
            assert (run["state"], run["error"]) == ("done", None)
            assert [block["driver"] for block in run["blocks"]] == names
            assert list(call.store.get("loop").launched.decoders) == names[1:]


def test_a_run_that_is_cancelled_while_a_decoder_learns_leaves_no_process() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", speed=4, closed_loop=QUICK)
        call("POST", PATH, {"decoder": "wiener", "blocks": 2, "trials": 1})
        call("POST", "/api/control/loop/resume")
        launched = call.store.get("loop").launched
        wait_until(lambda: "wiener-1" in launched.decoders)
        assert call("DELETE", PATH).json["state"] == "cancelled"
        assert launched.decoders == {}


def test_it_can_be_cancelled_and_ends_with_its_session() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", closed_loop=QUICK)
        call("POST", PATH)
        again = call("POST", PATH)
        assert (again.status, again.json["error"]["code"]) == (409, "conflict")
        assert call("DELETE", PATH).json["state"] == "cancelled"
        call("POST", PATH)
        run = call.store.get("loop").guided
        assert call("DELETE", "/api/sessions/loop").status == 200
        assert run.state == "cancelled"


@pytest.mark.parametrize(
    ("made", "asked", "status", "why"),
    [
        ({}, {}, 409, "has no calibration"),
        ({"source": "user", "speed": "max", "lockstep": True}, {}, 409, "without lockstep"),
        ({"source": "user"}, {"decoder": "passthrough"}, 422, "learns nothing"),
        ({"source": "user"}, {"decoder": "magic"}, 422, "magic"),
        ({"source": "user"}, {"blocks": 1}, 422, "'blocks' is 1"),
    ],
)
def test_what_cannot_be_calibrated_so_is_refused(
    made: dict[str, Any], asked: dict[str, Any], status: int, why: str
) -> None:
    with client(deck()) as call:
        call.create("loop", **made)
        reply = call("POST", PATH, asked)
        assert reply.status == status
        assert why in reply.json["error"]["message"]
        assert call("GET", PATH).status == 409


def test_a_decoder_that_ends_before_it_drives_is_told_and_changes_nothing() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", speed=2, closed_loop=QUICK)
        call("POST", PATH, {"decoder": "wiener", "blocks": 2, "trials": 1})
        call("POST", "/api/control/loop/resume")
        session = call.store.get("loop")
        wait_until(lambda: "wiener-1" in session.launched.decoders)
        session.launched.decoders["wiener-1"].interrupt()
        run = ended(call)
        assert run["state"] == "failed"
        assert run["error"].startswith("wiener-1 has ended before it drove: ")
        assert session.replay.source.driver is None
