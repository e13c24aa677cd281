"""Sessions that are asked for before what they are to play is there."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
import websocket

from engine.bins.source import Source
from engine.errors import BadSetting, NotThere
from engine.sources.live_lsl.source import live_lsl
from sessions.awaited import StillWaits
from sessions.options import Options
from sessions.refusals import Conflict, Full, UnknownSession
from sessions.session import Session
from sessions.sources import Sources
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import wait_until
from tests.engine.sources.live_lsl.test_live_lsl import Sender
from tests.sessions.serving import serving
from tests.sessions.test_sources import Silence


class Network:
    """Streams that come and go: each is there, or cannot be taken, or is missing."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.wrong: set[str] = set()
        self.made: list[Silence] = []
        self.looked = threading.Semaphore(0)

    def make(self, what: str, bin_rate: float) -> Source:
        self.looked.release()
        if what in self.wrong:
            raise BadSetting(f"Stream {what} is text. Choose another.")
        if what not in self.there:
            raise NotThere(f"No stream is called {what!r}.", what)
        self.made.append(Silence(what, bin_rate))
        return self.made[-1]

    def wait_looked(self) -> None:
        assert self.looked.acquire(timeout=30)


RIG = Options(source="rig:one")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def store(network: Network) -> Iterator[Store]:
    made = Store({"small": small_recording()}, sources=Sources({"rig": network.make}), max_sessions=2)
    yield made
    made.close()


def test_a_session_waits_and_plays_by_itself_when_its_stream_comes(store: Store, network: Network) -> None:
    told = r"Session deck waits for stream 'one' since .*\. No stream is called 'one'\. It begins by itself"
    with pytest.raises(StillWaits, match=told):
        store.create("deck", RIG)
    with pytest.raises(StillWaits):
        store.get("deck")
    assert (store.sessions, list(store.entries)) == ({}, ["deck"])
    network.there.add("one")
    wait_until(lambda: "deck" in store.sessions)
    session = store.get("deck")
    assert (session.description.name, session.options.source) == ("one", "rig:one")
    wait_until(lambda: session.replay.state == "playing" and session.ring.head > 0)
    assert store.create("deck", RIG, asked=("source",)) is session


def test_a_code_that_waits_is_taken(store: Store) -> None:
    with pytest.raises(StillWaits):
        store.create("deck", RIG)
    with pytest.raises(StillWaits):
        store.create("deck", RIG, asked=("source",))
    with pytest.raises(Conflict, match="made with another seed"):
        store.create("deck", Options(source="rig:one", seed=3), asked=("seed",))
    assert list(store.entries) == ["deck"]


def test_what_cannot_be_taken_is_told_until_it_can(store: Store, network: Network) -> None:
    with pytest.raises(StillWaits):
        store.create("deck", RIG)
    network.wrong.add("one")
    wait_until(lambda: store.entry("deck").status.error == "Stream one is text. Choose another.")
    with pytest.raises(StillWaits, match="is text"):
        store.get("deck")
    network.there.add("one")
    network.wrong.clear()
    wait_until(lambda: "deck" in store.sessions)


def test_options_that_what_has_come_cannot_serve_are_told(store: Store, network: Network) -> None:
    with pytest.raises(StillWaits):
        store.create("deck", Options(source="rig:one", speed=2.0))
    network.there.add("one")
    wait_until(lambda: store.entry("deck").status.error is not None)
    with pytest.raises(StillWaits, match="source is silence has no speed but 1"):
        store.get("deck")
    assert network.made[-1].closed.is_set()
    store.delete("deck")
    assert store.entries == {}


def test_one_that_is_deleted_is_looked_for_no_more(store: Store, network: Network) -> None:
    with pytest.raises(StillWaits):
        store.create("deck", RIG)
    thread = next(each for each in threading.enumerate() if each.name == "wait deck")
    network.wait_looked()
    store.delete("deck")
    thread.join(30)
    assert not thread.is_alive()
    with pytest.raises(UnknownSession):
        store.get("deck")


def test_one_that_is_deleted_while_it_comes_leaves_nothing(store: Store, network: Network) -> None:
    coming, deleted = threading.Event(), threading.Event()
    make = network.make

    def slowly(what: str, bin_rate: float) -> Source:
        source = make(what, bin_rate)
        coming.set()
        assert deleted.wait(30)
        return source

    slow = Store({"small": small_recording()}, sources=Sources({"rig": lambda *a: network.make(*a)}))
    with pytest.raises(StillWaits):
        slow.create("deck", RIG)
    network.make = slowly  # type: ignore[method-assign]
    network.there.add("one")
    assert coming.wait(30)
    slow.delete("deck")
    deleted.set()
    assert network.made[-1].closed.wait(30)
    assert slow.entries == {}
    slow.close()


def test_those_that_wait_take_room_and_make_room(store: Store) -> None:
    for code in ("one", "two"):
        with pytest.raises(StillWaits):
            store.create(code, RIG)
    assert isinstance(store.create("three"), Session)  # the one not asked for for longest has gone
    assert list(store.entries) == ["two", "three"]


def test_they_expire_as_others_do_and_end_with_the_server(network: Network) -> None:
    store = Store({"small": small_recording()}, sources=Sources({"rig": network.make}), ttl=0.0)
    with pytest.raises(StillWaits):
        store.create("deck", RIG)
    assert store.cleanup() == 1
    with pytest.raises(StillWaits):
        store.create("deck", RIG)
    store.close()
    assert store.entries == {}
    with pytest.raises(Full):
        store.create("deck", RIG)


def test_a_code_that_is_made_up_for_a_connection_is_not_waited_for(store: Store) -> None:
    with pytest.raises(NotThere):
        store.create(None, RIG, wait=False)
    assert store.entries == {}


def test_what_clients_see_of_one_that_waits_until_it_comes(store: Store, network: Network) -> None:
    with serving(store) as call:
        made = call("POST", "/api/sessions", {"custom_code": "deck", "source": "rig:one"})
        assert (made.status, made.json["session_code"]) == (200, "deck")
        assert "waits for stream 'one' since" in made.json["message"]
        told = call("GET", "/api/sessions/deck").json
        assert (told["state"], told["source"], told["can"]) == ("waiting", "rig", [])
        assert (told["stream"]["name"], told["stream"]["state"]) == ("one", "waiting")
        assert call("GET", "/api/sessions").json["sessions"]["deck"]["state"] == "waiting"
        assert call("GET", "/health").json["sources"] == ["one of deck"]
        assert call("GET", "/metrics").json["metrics"]["waiting"]["deck"]["state"] == "waiting"
        text = call("GET", "/metrics?format=prometheus").content.decode()
        assert 'phantom_source_up{session="deck"} 0.0' in text
        for method, path in (("POST", "/api/control/deck/resume"), ("GET", "/api/sessions/deck/scores")):
            refused = call(method, path)
            assert (refused.status, refused.headers["Retry-After"]) == (409, "2")
            assert refused.json["error"]["code"] == "not_now"
        with pytest.raises(websocket.WebSocketBadStatusException) as upgrade:
            websocket.create_connection(f"ws://127.0.0.1:{call.port}/stream/deck", timeout=30)
        assert (upgrade.value.status_code, upgrade.value.resp_headers["retry-after"]) == (409, "2")
        network.there.add("one")
        wait_until(lambda: call("GET", "/api/sessions/deck").json["state"] == "playing")
        assert call("GET", "/health").json["sources"] == []
        assert call("DELETE", "/api/sessions/deck").status == 200


def test_a_session_of_a_real_stream_plays_what_it_sends_when_it_comes() -> None:
    name = f"late-{uuid.uuid4().hex[:8]}"
    store = Store({"small": small_recording()}, sources=Sources({"lsl": live_lsl}))
    try:
        with pytest.raises(StillWaits, match=f"No LSL stream is called '{name}'"):
            store.create("deck", Options(source=f"lsl:{name}"))
        sender = Sender(name)
        try:
            wait_until(lambda: "deck" in store.sessions)
            session = store.get("deck")
            wait_until(lambda: bool(session.ring.column("observed").sum() > 10))
            assert session.description.n_units == 3
        finally:
            sender.close()
    finally:
        store.close()
