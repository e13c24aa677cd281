"""Sessions are found by readable codes, make room for each other, and end when nobody needs them."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.bins.selection import Selection
from engine.deck.replay import Replay
from engine.errors import BadSetting, DeckError, EmptySelection, UnknownTrial
from engine.sinks.base import Subject
from sessions.codes import CODE
from sessions.making import LSL_SESSIONS
from sessions.options import Options
from sessions.refusals import BadCode, Conflict, Full, UnknownRecording, UnknownSession
from sessions.session import Session
from sessions.store import Store
from tests.builders import small_recording
from tests.clocks import JumpingClock
from tests.engine.listening import Keeper, Notebook, wait_until

MakeStore = Callable[..., Store]


@pytest.fixture
def make_store() -> Iterator[MakeStore]:
    """Makes stores with one small recording."""
    made: list[Store] = []

    def make(**options: Any) -> Store:
        store = Store({"small": small_recording()}, **options)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


def replay_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("replay ")]


class Pages:
    """An audience of so many pages."""

    def __init__(self, *_: Replay | asyncio.AbstractEventLoop) -> None:
        self.size = 1
        self.dropped = 0
        self.latencies = np.empty(0)
        self.closed: list[tuple[int, str]] = []

    def close(self, code: int, reason: str) -> None:
        self.closed.append((code, reason))
        self.size = 0


class Notebooks:
    """Makes a sink for each session, and keeps it by the session's code."""

    def __init__(self) -> None:
        self.of: dict[str, Notebook] = {}

    def __call__(self, subject: Subject) -> Notebook:
        made = self.of[subject.code] = Notebook()
        return made


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def traces(session: Session) -> dict[str, weakref.ref[Any]]:
    """What must be gone with a session, by name."""
    parts = (session, session.replay, session.ring, session.predictions, session.predictions.ring)
    return {f"{i} {type(part).__name__}": weakref.ref(part) for i, part in enumerate(parts)}


def left_of(found: dict[str, weakref.ref[Any]]) -> list[str]:
    return [name for name, trace in found.items() if trace() is not None]


# Memory


def answered(store: Store) -> dict[str, weakref.ref[Any]]:
    """Traces of a new session that has played and was answered, so that all of its threads were there."""
    session = store.create(options=Options(speed="max", loop=False))
    session.replay.start()
    keeper = Keeper(session.replay)
    keeper.wait_rows(1)
    session.predictions.receive("kalman", 0, (0.0, 0.0, 0.0, 0.0), 0.0)
    session.scores.settle(30.0)
    session.replay.remove_listener(keeper)
    return traces(session)


@pytest.mark.usefixtures("no_collector")
def test_deleted_session_is_freed_at_once(make_store: MakeStore) -> None:
    store = make_store()
    found = answered(store)
    [code] = store.sessions
    store.delete(code)

    assert left_of(found) == []


@pytest.mark.usefixtures("no_collector")
def test_evicted_sessions_are_freed_at_once(make_store: MakeStore) -> None:
    store = make_store(max_sessions=2)
    found = [traces(store.create()) for _ in range(20)]

    assert [bool(left_of(each)) for each in found] == [False] * 18 + [True] * 2


# Codes


def test_made_up_codes_are_readable_and_differ(make_store: MakeStore) -> None:
    store = make_store()
    codes = [store.create().code for _ in range(20)]

    assert len(set(codes)) == 20
    for code in codes:
        assert CODE.fullmatch(code)
        assert code.split("-")[-1].isdigit()
    assert list(store.sessions) == codes


@pytest.mark.parametrize("code", ["a", "A-b_9", "x" * 64, "binary2"])
def test_codes_may_be_chosen(make_store: MakeStore, code: str) -> None:
    assert make_store().create(code).code == code


@pytest.mark.parametrize(
    "code", ["", "a b", "a/b", "a.b", "\u00e9t\u00e9", "x" * 65, "a\n", "binary", "raw", "..", "x" * 10_000]
)
def test_other_codes_are_refused_in_one_short_line(make_store: MakeStore, code: str) -> None:
    store = make_store()
    with pytest.raises(BadCode, match="Use 1 to 64 letters, digits") as refused:
        store.create(code)

    assert len(str(refused.value)) < 250
    assert "\n" not in str(refused.value)
    assert store.sessions == {}


def test_unknown_code_is_refused(make_store: MakeStore) -> None:
    store = make_store()
    for call in (store.get, store.delete):
        with pytest.raises(UnknownSession, match="Unknown session 'nobody'"):
            call("nobody")


# Options


def test_session_is_made_with_its_options(make_store: MakeStore) -> None:
    options = Options(
        selection=Selection(trial_ids=(1,)),
        seed=9,
        speed=2.0,
        loop=False,
        perturbation={"preset": "light"},
    )
    replay = make_store().create("deck", options).replay

    assert (replay.seed, replay.speed, replay.loop) == (9, 2.0, False)
    assert replay.selection == Selection(trial_ids=(1,))
    assert replay.perturbation["noise"] == {"enabled": True, "sd": 0.2}
    assert replay.state == "idle"


def test_existing_code_answers_with_that_session(make_store: MakeStore) -> None:
    store = make_store()
    options = Options(seed=3, speed=2.0)
    session = store.create("deck", options)

    assert store.create("deck") is session
    assert store.create("deck", options, asked=("seed", "speed")) is session
    assert store.total_created == 1


def test_other_options_for_an_existing_code_conflict(make_store: MakeStore) -> None:
    store = make_store()
    store.create("deck", Options(seed=3))
    with pytest.raises(Conflict) as refused:
        store.create("deck", Options(seed=4, loop=False), asked=("seed", "loop"))

    assert "Session deck was made with another" in str(refused.value)
    assert "seed" in str(refused.value)
    assert "loop" in str(refused.value)


def test_recordings_are_chosen_by_name_and_the_first_is_the_default() -> None:
    recordings = {"a": small_recording(name="a"), "b": small_recording(name="b", n_units=3)}
    store = Store(recordings)

    assert store.create("one").recording is recordings["a"]
    assert store.create("two", Options(recording="b")).recording is recordings["b"]
    with pytest.raises(UnknownRecording, match=r"Unknown recording 'c'\. There are a, b"):
        store.create("three", Options(recording="c"))
    store.close()


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (Options(selection=Selection(trial_ids=(9,))), UnknownTrial),
        (Options(selection=Selection((0,), (1,))), EmptySelection),
        (Options(speed=1000.0), BadSetting),
        (Options(perturbation={"preset": "harsh"}), BadSetting),
        (Options(recording="c"), UnknownRecording),
    ],
)
def test_refused_session_leaves_nothing_behind_and_costs_no_other(
    make_store: MakeStore, options: Options, refusal: type[DeckError]
) -> None:
    store = make_store(max_sessions=1)
    kept = store.create("kept")
    with pytest.raises(refusal):
        store.create("deck", options)

    assert store.sessions == {"kept": kept}
    assert replay_threads() == ["replay kept"]
    assert kept.replay.state == "idle"


# Room


def test_longest_idle_session_makes_room(make_store: MakeStore, jumping: JumpingClock) -> None:
    store = make_store(max_sessions=3)
    sessions = {}
    for code in ("first", "second", "third"):
        sessions[code] = store.create(code)
        jumping.ahead += 10
    sessions["first"].touch()
    store.create("fourth")

    assert list(store.sessions) == ["first", "third", "fourth"]
    assert sessions["second"].replay.state == "closed"


def test_existing_code_needs_no_room(make_store: MakeStore) -> None:
    store = make_store(max_sessions=2)
    one, _ = store.create("one"), store.create("two")

    assert store.create("one") is one
    assert list(store.sessions) == ["one", "two"]


def test_session_with_listeners_is_never_evicted(
    make_store: MakeStore, jumping: JumpingClock, loop: asyncio.AbstractEventLoop
) -> None:
    notebooks = Notebooks()
    store = make_store(max_sessions=3, make_sinks={"lsl": notebooks})
    decoded, watched, _ = (store.create(code) for code in ("decoded", "watched", "heard"))
    decoded.admit(None)
    watched.audience(Pages, loop)
    notebooks.of["heard"].heard = True
    wait_until(lambda: store.get("heard").heard)
    jumping.ahead += 1e6
    with pytest.raises(Full) as refused:
        store.create("one-more")
    assert str(refused.value).startswith(
        "There are 3 sessions, which is the limit, and all have listeners."
    )
    assert store.cleanup() == 0

    decoded.dismiss()
    store.create("one-more")
    assert list(store.sessions) == ["watched", "heard", "one-more"]


# Time to live


def test_session_ends_after_its_time_without_use(make_store: MakeStore, jumping: JumpingClock) -> None:
    store = make_store(ttl=60.0)
    old, _ = store.create("old"), store.create("used")
    jumping.ahead += 40
    store.get("used").touch()
    jumping.ahead += 30

    assert store.cleanup() == 1
    assert list(store.sessions) == ["used"]
    assert old.replay.state == "closed"


def test_time_to_live_counts_from_the_last_listener(
    make_store: MakeStore, jumping: JumpingClock, loop: asyncio.AbstractEventLoop
) -> None:
    notebooks = Notebooks()
    store = make_store(ttl=60.0, make_sinks={"lsl": notebooks})
    decoded, watched, _ = (store.create(code) for code in ("decoded", "watched", "heard"))
    decoded.admit(None)
    pages = watched.audience(Pages, loop)
    notebooks.of["heard"].heard = True
    wait_until(lambda: store.get("heard").heard)
    jumping.ahead += 1000
    assert store.cleanup() == 0
    decoded.dismiss()
    pages.size = 0
    notebooks.of["heard"].heard = False
    wait_until(lambda: not store.get("heard").heard)
    jumping.ahead += 30
    assert store.cleanup() == 0

    jumping.ahead += 31
    assert store.cleanup() == 3


# LSL


def test_first_sessions_get_outlets_unasked_and_others_when_they_ask(make_store: MakeStore) -> None:
    made: list[tuple[str, float]] = []

    def sink(subject: Subject) -> Notebook:
        made.append((subject.code, subject.rate))
        return Notebook()

    store = make_store(make_sinks={"lsl": sink})
    codes = [f"s{i}" for i in range(LSL_SESSIONS + 1)]
    for code in codes:
        store.create(code)
    store.create("asked", Options(lsl=True, speed=2.0))
    store.create("declined", Options(lsl=False))
    store.delete("s0")
    store.delete("asked")
    store.create("again")

    expected = [*((code, 40.0) for code in codes[:LSL_SESSIONS]), ("asked", 80.0), ("again", 40.0)]
    assert made == expected
    assert store.get("again").lsl
    assert not store.get("declined").lsl


def test_session_that_makes_room_leaves_its_outlets_to_the_next(make_store: MakeStore) -> None:
    store = make_store(max_sessions=LSL_SESSIONS, make_sinks={"lsl": lambda _: Notebook()})
    for i in range(LSL_SESSIONS + 3):
        assert store.create(f"s{i}").lsl


def test_created_session_is_on_the_network_already(make_store: MakeStore) -> None:
    notebook = Notebook()
    session = make_store(make_sinks={"lsl": lambda _: notebook}).create("deck")
    notebook.heard = True

    wait_until(lambda: session.heard)


# The end


def test_deleted_session_closes_its_connections_and_its_thread(
    make_store: MakeStore, loop: asyncio.AbstractEventLoop
) -> None:
    store = make_store()
    session = store.create("deck")
    pages = session.audience(Pages, loop)
    store.delete("deck")

    assert pages.closed == [(1000, "The session was deleted.")]
    assert session.replay.state == "closed"
    assert store.sessions == {}
    assert store.create("deck") is not session


def test_session_with_decoders_is_deleted_by_force_alone(make_store: MakeStore) -> None:
    store = make_store()
    session = store.create("deck")
    session.admit(None)
    with pytest.raises(Conflict, match=r"has 1 decoder\(s\) connected\. Disconnect them, or delete with"):
        store.delete("deck", force=False)
    store.delete("deck", force=True)

    with pytest.raises(UnknownSession, match="has just been deleted"):
        session.admit(None)


def test_closed_store_says_goodbye_and_makes_no_more(
    make_store: MakeStore, loop: asyncio.AbstractEventLoop
) -> None:
    store = make_store()
    pages = [store.create(code).audience(Pages, loop) for code in ("one", "two")]
    store.close()
    store.close()

    assert [each.closed for each in pages] == [[(1001, "The server is going down.")]] * 2
    assert store.sessions == {}
    assert replay_threads() == []
    with pytest.raises(Full, match="The server is going down"):
        store.create("three")


def test_closing_waits_no_longer_than_told_for_those_who_do_not_answer(
    make_store: MakeStore, loop: asyncio.AbstractEventLoop, jumping: JumpingClock
) -> None:
    class Deaf:
        dropped = 0
        latencies = np.empty(0)

        def __init__(self, *_: Replay | asyncio.AbstractEventLoop) -> None:
            """Takes what every audience does."""

        @property
        def size(self) -> int:
            jumping.ahead += 1.0  # so long it takes to look
            return 1

        def close(self, *_: int | str) -> None:
            """Says nothing."""

    store = make_store()
    store.create("deck").audience(Deaf, loop)
    store.close(goodbye_within=2.0)

    assert replay_threads() == []


# A session


def test_session_knows_who_listens(make_store: MakeStore, loop: asyncio.AbstractEventLoop) -> None:
    session = make_store().create("deck")
    assert not session.listened_to

    session.admit(None)
    assert (session.listened_to, session.decoders, session.idle) == (True, 1, 0.0)
    session.dismiss()
    assert (session.listened_to, session.decoders) == (False, 0)

    pages = session.audience(Pages, loop)
    assert session.audience(Pages, loop) is pages
    assert session.listened_to
    pages.size = 0
    assert not session.listened_to


def test_decoder_may_bring_a_selection_unless_others_play_another(make_store: MakeStore) -> None:
    session = make_store().create("deck")
    one, two = Selection(trial_ids=(1,)), Selection(trial_ids=(2,))
    session.admit(one)
    session.admit(one)
    session.admit(None)
    with pytest.raises(Conflict, match=r"has 3 decoder\(s\) on another selection"):
        session.admit(two)
    for _ in range(3):
        session.dismiss()
    session.admit(two)

    assert (session.replay.selection, session.decoders) == (two, 1)


def test_refused_selection_admits_nobody(make_store: MakeStore) -> None:
    session = make_store().create("deck")
    with pytest.raises(UnknownTrial):
        session.admit(Selection(trial_ids=(9,)))

    assert session.decoders == 0


def test_sessions_are_isolated(make_store: MakeStore) -> None:
    store = make_store()
    one, other = (store.create(code, Options(speed=50.0)).replay for code in ("one", "other"))
    keepers = [Keeper(one), Keeper(other)]
    one.start()
    other.set_selection(Selection(trial_ids=(2,)))
    other.start()

    assert keepers[0].wait_rows(60)["packet_id"].tolist() == list(range(60))
    assert set(keepers[1].wait_rows(60)["packet_id"].tolist()) == set(range(100, 150))


def test_many_at_once_get_the_same_session_for_the_same_code(make_store: MakeStore) -> None:
    store = make_store(max_sessions=5)
    found: list[Session] = []

    def create(code: str) -> None:
        found.append(store.create(code))

    hands = [threading.Thread(target=create, args=(f"deck-{i % 3}",)) for i in range(30)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    assert len({id(session) for session in found}) == store.total_created == 3
