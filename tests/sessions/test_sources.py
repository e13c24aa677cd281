"""What a client means by a source, and what a server of one has."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from engine.bins.selection import Selection
from engine.bins.source import Source
from engine.errors import BadSetting, NotNow
from engine.sources.endless import Endless
from engine.sources.growing import GrowingDescription
from sessions import electrodes
from sessions.options import Options
from sessions.refusals import Busy, Full
from sessions.sources import Sources, electrodes_in
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import Keeper, Notebook
from tests.sessions.serving import serving


class Silence(Endless):
    """Two units that never fire."""

    kind = "silence"
    can = ("pause", "perturbation")

    def __init__(self, what: str, bin_rate: float) -> None:
        super().__init__(GrowingDescription(what, ("a", "b"), bin_rate))
        self.closed = threading.Event()

    def bin(self, _: float) -> list[int]:
        return [0, 0]

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize(
    ("default", "asked", "meant"),
    [
        ("recording", None, "recording"),
        ("recording", "silence:x", "silence:x"),
        ("silence:own", None, "silence:own"),
        ("silence:own", "silence", "silence:own"),
        ("silence:own", "silence:x", "silence:x"),
        ("silence:own", "recording", "recording"),
    ],
)
def test_what_is_left_out_is_the_servers_own(default: str, asked: str | None, meant: str) -> None:
    assert Sources({"silence": Silence}, default).spelled(asked) == meant


@pytest.mark.parametrize("asked", ["tape", "recording:x", "silence", ""])
def test_what_there_is_not_is_refused_in_one_line(asked: str) -> None:
    with pytest.raises(
        BadSetting, match=r"There are recording, user, .*silence:NAME|has no silence of its own\. Send"
    ):
        Sources({"silence": Silence}).spelled(asked)
    with pytest.raises(BadSetting):
        Sources({"silence": Silence}, asked)


def test_a_source_ends_with_its_session_and_with_a_session_that_is_not_made() -> None:
    made: list[Silence] = []

    def make(what: str, bin_rate: float) -> Source:
        made.append(Silence(what, bin_rate))
        return made[-1]

    store = Store(
        {"small": small_recording()}, sources=Sources({"silence": make}, bin_rate=50.0), max_sessions=1
    )
    session = store.create("one", Options(source="silence:x"))
    assert (session.description.name, session.description.bin_rate) == ("x", 50.0)
    assert session.subject.rate == 50.0
    assert store.create("one", Options(source="silence:x"), asked=("source",)) is session
    assert len(made) == 1
    store.delete("one")
    assert made[0].closed.is_set()
    with pytest.raises(BadSetting):
        store.create("two", Options(source="silence:x", perturbation={"preset": "wild"}))
    store.close()
    with pytest.raises(Full):
        store.create("three", Options(source="silence:x"))
    assert [each.closed.is_set() for each in made] == [True] * 3


def test_options_that_only_a_recording_has_are_refused_beside_another_source() -> None:
    store = Store({"small": small_recording()}, sources=Sources({"silence": Silence}))
    with pytest.raises(NotNow, match="source is silence has no speed but 1"):
        store.create("one", Options(source="silence:x", speed=2.0))
    with pytest.raises(NotNow, match="source is silence has no selection"):
        store.create("one", Options(source="silence:x", selection=Selection(trial_ids=(1,))))
    store.close()


def test_a_session_without_a_recording_says_so_where_one_is_needed() -> None:
    store = Store({"small": small_recording()}, sources=Sources({"silence": Silence}))
    session = store.create("one", Options(source="silence:x"))
    with pytest.raises(NotNow, match=r"source is silence has no recording\. It can do pause, perturbation"):
        _ = session.recording
    store.close()


def test_electrodes_play_a_recording_as_spikes_found_on_so_many_channels() -> None:
    with serving(Store({"small": small_recording()})) as ask:
        ask.create("deck", source="electrodes:3", seed=4, speed=4.0)
        view = ask("GET", "/api/sessions/deck").json
        assert (view["source"], view["can"]) == (
            "electrodes",
            ["pause", "step", "speed", "perturbation", "tune"],
        )
        assert (view["total_packets"], view["detection"]) == (None, None)
        replay = ask.store.get("deck").replay
        keeper = Keeper(replay)
        ask("POST", "/api/control/deck/resume")
        rows = keeper.wait_rows(90)[:30]
        assert rows["counts"].shape == (30, 3)
        assert rows["counts"][12:].any(axis=0).all()
        expected = small_recording().kinematics[:30]
        np.testing.assert_array_equal(rows["kinematics"], expected)
        found = ask("GET", "/api/sessions/deck").json["detection"]
        assert found["threshold"] == pytest.approx(-4 * found["noise_uv"], abs=0.01)
        assert 0.3 < found["recall"] <= 1
        assert 0.3 < found["precision"] <= 1
        assert [len(each) for each in found["channels"].values()] == [3] * 5
        assert ask("POST", "/api/control/deck/seek", {"packet_id": 3}).status == 409


def test_a_simulated_user_can_have_electrodes_below() -> None:
    with serving(Store({"small": small_recording()})) as ask:
        ask.create("deck", source="user:naive:electrodes:3", electrodes={"pink": 15}, detection={"k": 4.5})
        view = ask("GET", "/api/sessions/deck").json
        assert view["source"] == "user"
        assert {"drive", "tune"} <= set(view["can"])
        assert (view["electrodes"]["pink"], view["detection_settings"]["k"]) == (15, 4.5)
        assert view["closed_loop"]["user"]["forward_model"] is False
        replay = ask.store.get("deck").replay
        keeper = Keeper(replay)
        ask("POST", "/api/control/deck/resume")
        assert keeper.wait_rows(30)[:30]["counts"].shape == (30, 3)
        assert replay.voltages is not None
        assert ask("PUT", "/api/sessions/deck/electrodes", {"dead": [2]}).json["dead"] == [2]


@pytest.mark.parametrize(
    ("asked", "n"),
    [
        ("user", None),
        ("user:noisy", None),
        ("user:electrodes", ""),
        ("user:person:electrodes:64", "64"),
        ("electrodes:8", "8"),
        ("recording", None),
    ],
)
def test_which_sources_have_electrodes(asked: str, n: str | None) -> None:
    assert electrodes_in(asked) == n
    assert Sources().spelled(asked) == asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("user:electrodes:0", "There can be 1 to"),
        (
            "user:skilled:wires",
            "A simulated user has electrodes below, or nothing, not 'wires'.",
        ),
        (
            "user:best:electrodes",
            "Unknown source 'user:best:electrodes'. There are recording, user",
        ),
    ],
)
def test_users_with_what_cannot_be_below_are_refused(asked: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        Sources().spelled(asked)


def test_only_sessions_with_voltages_and_lsl_have_an_outlet_for_them() -> None:
    made = {"lsl": lambda _: Notebook(), "lsl_raw": lambda _: Notebook()}
    store = Store({"small": small_recording()}, make_sinks=made)
    sinks = {
        source: list(store.create(None, Options(source=source, lsl=lsl)).sinks)
        for source, lsl in (("recording", True), ("electrodes:1", True), ("electrodes:2", False))
    }
    store.close()
    assert sinks == {"recording": ["lsl"], "electrodes:1": ["lsl", "lsl_raw"], "electrodes:2": []}


@pytest.mark.parametrize("asked", ["electrodes:0", "electrodes:2000", "electrodes:many", "electrodes:-1"])
def test_electrodes_that_cannot_be_are_refused(asked: str) -> None:
    with pytest.raises(BadSetting, match=r"There can be 1 to \d+ electrodes, not "):
        Sources().spelled(asked)


def test_electrodes_have_no_selection_and_a_server_can_have_its_own() -> None:
    sources = Sources(default="electrodes:8")
    assert (sources.spelled("electrodes"), sources.spelled(None)) == ("electrodes:8", "electrodes:8")
    with pytest.raises(NotNow, match="has no selection"):
        sources.make(Options(source="electrodes", selection=Selection((1,))), small_recording())


def test_more_electrodes_than_the_machine_computes_are_refused_until_some_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(electrodes, "FOR_ELECTRODES", 2.5 * electrodes.share(8) / (os.cpu_count() or 1))
    sources, asked = Sources(), Options(source="electrodes:8")
    one, other = (sources.make(asked, small_recording()) for _ in range(2))
    with pytest.raises(Busy, match=r"^8 electrodes take 0\.\d+ of a core, and of the .* Delete a session"):
        sources.make(asked, small_recording())
    one.close()
    third = sources.make(asked, small_recording())
    for each in (other, third):
        each.close()
