"""Links that can only look, under a token: what they open, and everything that they do not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import product
from urllib.parse import urlsplit

import pytest
import websocket
from playwright.sync_api import Browser, Page, expect
from websocket import WebSocket

from plotters.arena import Arena
from sessions.gate import Audit, Token
from sessions.links import Link
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor
from tests.test_gate import METHODS, UPGRADE, Port

SECRET = "of-the-teacher"


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), [Arena], token=SECRET)
    for code in ("one", "other"):
        made.store.create(code).replay.resume()
    yield made
    made.stop()


@dataclass
class Looker:
    """Somebody who has a link and nothing else."""

    deck: Deck
    link: Link

    @property
    def shown(self) -> str:
        return self.deck.gate.links.signed(self.link)

    @property
    def cookie(self) -> dict[str, str]:
        id_, signature = self.shown.split(".")
        return {"Cookie": f"phantomdeck_look_{id_}={signature}"}

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> int:
        """Status of the answer, with the link's cookie."""
        return status(self.deck, method, path, {**self.cookie, **(headers or {})}, body)

    def feed(self, path: str) -> WebSocket:
        return websocket.create_connection(
            self.deck.url.replace("http", "ws") + path, timeout=20, header=self.cookie
        )


def status(deck: Deck, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
    connection = HTTPConnection("127.0.0.1", deck.port, timeout=20)
    connection.request(method, path, body or None, headers)
    with connection.getresponse() as found:
        if found.status != 101:
            found.read()
    connection.close()
    return found.status


@pytest.fixture
def one(deck: Deck) -> Looker:
    return Looker(deck, deck.gate.links.make("one")[0])


@pytest.fixture
def everything(deck: Deck) -> Looker:
    return Looker(deck, deck.gate.links.make(None)[0])


def refused(looker: Looker, path: str) -> bool:
    """Whether a WebSocket is answered by the gate alone."""
    return looker.ask("GET", path, UPGRADE) in (401, 403)


def test_a_link_opens_its_session_s_page_and_feed_alone(one: Looker) -> None:
    assert one.ask("GET", "/look/session?session=one") == 200
    for path in (
        "/resources/look.js",
        "/resources/deck.css",
        "/resources/logo.svg",
        "/static/js/bokeh.min.js",
    ):
        assert one.ask("GET", path) == 200
    feed = one.feed("/feed/one")
    assert isinstance(feed.recv(), bytes)
    feed.close()
    assert one.ask("GET", "/look/session?session=other") == 403
    assert one.ask("GET", "/look/session") == 403
    assert one.ask("GET", "/look/session?session=one&session=other") == 403
    for path in ("/feed/other", "/wall/feed", "/wall/feed?prefix=one", "/feed/one%2f..%2fother"):
        assert refused(one, path)
    assert one.ask("GET", "/look/wall") == 403


def test_a_link_to_all_opens_the_wall_too(everything: Looker) -> None:
    for path in ("/look/session?session=one", "/look/session?session=other", "/look/wall?prefix=o"):
        assert everything.ask("GET", path) == 200
    wall = everything.feed("/wall/feed")
    assert {"one", "other"} <= set(json.loads(wall.recv()))
    wall.close()
    assert everything.ask("GET", "/wall") == 403


@pytest.mark.parametrize("kind", ["one", "everything"])
def test_of_all_routes_with_all_methods_a_link_opens_those_that_look(
    deck: Deck, request: pytest.FixtureRequest, kind: str
) -> None:
    looker: Looker = request.getfixturevalue(kind)
    walls = re.compile(r"/look/session|/look/wall|/wall/feed|/feed/sample")
    opened = []
    for path in Port(deck.port, deck.server._tornado).addresses.values():
        for method, more in [*product(METHODS, [{}]), ("GET", UPGRADE)]:
            got = looker.ask(method, path, more)
            if got not in (401, 403) and path != "/health":
                opened.append((method, path))
    allowed = walls if kind == "everything" else re.compile("$^")
    assert {method for method, _ in opened} <= {"GET", "HEAD"}
    assert [path for _, path in opened if not allowed.fullmatch(path)] == []
    assert bool(opened) is (kind == "everything")


@pytest.mark.parametrize(
    "path",
    [
        "/", "/live?session=one", "/live/ws", "/wall/ws", "/metrics", "/docs", "/api/sessions",
        "/api/links", "/api/sessions/one", "/api/sessions/one/scores", "/api/records", "/api/records/x.nwb",
        "/api/runs.csv",
        "/api/sessions/one/snapshot.png", "/stream/one", "/stream/binary/one", "/stream/raw/one",
        "/print?prefix=one",
        "/resources/../api/sessions", "/resources/%2e%2e/api/sessions", "/resources/clients/answering.py",
        "/resources/guide.md", "/look/session/../../api/sessions?session=one", "//look/session?session=one",
        "/look/session%00?session=one", "/look/session/?session=one", "/feed/one/../../live?session=one",
        "/static/js/bokeh.min.js/../../../live", "/static/js/bokeh-widgets.min.js",
    ],
)  # fmt: skip
def test_what_else_there_is_stays_closed(one: Looker, everything: Looker, path: str) -> None:
    for looker in (one, everything):
        assert looker.ask("GET", path) == 403
        assert looker.ask("GET", path, UPGRADE) == 403


def test_nothing_can_be_changed(one: Looker, everything: Looker) -> None:
    deck = one.deck

    def now() -> tuple[object, ...]:
        return list(deck.store.entries), deck.store.get("one").replay.changes, len(deck.gate.links.all)

    before = now()
    for looker in (one, everything):
        for method, path, body in (
            ("POST", "/api/control/one/pause", b""),
            ("DELETE", "/api/sessions/one", b""),
            ("POST", "/api/sessions", b"{}"),
            ("POST", "/api/links", b"{}"),
            ("DELETE", f"/api/links/{one.link.id}", b""),
            ("PUT", "/api/sessions/one/perturbation", b'{"preset": "severe"}'),
            ("POST", "/look/session?session=one", b""),
            ("POST", "/feed/one", b""),
        ):
            assert looker.ask(method, path, body=body) == 403
        overridden = {"X-HTTP-Method-Override": "DELETE", "Content-Type": "application/json"}
        assert looker.ask("GET", "/api/sessions/one", overridden) == 403
    assert now() == before


def test_a_body_cannot_name_another_session_than_the_address(one: Looker) -> None:
    connection = HTTPConnection("127.0.0.1", one.deck.port, timeout=20)
    form = {**one.cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("GET", "/look/session?session=one", b"session=other", form)
    text = connection.getresponse().read().decode()
    connection.close()
    assert "<h1>one</h1>" in text
    assert "<h1>other</h1>" not in text


def test_what_the_feed_is_told_changes_nothing(one: Looker) -> None:
    session = one.deck.store.get("one")
    before = session.replay.changes
    feed = one.feed("/feed/one")
    for message in (
        {"key": " "},
        {"seek": 3},
        {"type": "prediction", "sequence_number": 1, "x": 1, "y": 1},
    ):
        feed.send(json.dumps(message))
    feed.send(json.dumps({"clock": 1}))
    while not isinstance(feed.recv(), str):
        pass
    feed.close()
    assert session.replay.changes == before
    assert session.predictions.names == []


def test_a_changed_signature_or_foreign_link_opens_nothing(deck: Deck, one: Looker) -> None:
    path, (id_, signature) = "/look/session?session=one", one.shown.split(".")
    wrong = ("B" if signature[0] == "A" else "A") + signature[1:]
    other = deck.gate.links.make("other")[0]
    for name, value in ((id_, wrong), (id_, ""), (other.id, signature), ("nobody", signature)):
        assert status(deck, "GET", path, {"Cookie": f"phantomdeck_look_{name}={value}"}) == 401
        assert status(deck, "GET", f"{path}&look={name}.{value}", {}) == 401
    claimed = {"Phantomdeck-Link": one.link.id}  # which only the gate may say
    assert status(deck, "GET", path, claimed) == 401


def test_a_wrong_token_is_not_saved_by_a_link(one: Looker) -> None:
    assert one.ask("GET", "/look/session?session=one", {"Authorization": "Bearer wrong"}) == 401
    assert one.ask("GET", "/look/session?session=one&token=wrong") == 401


def test_the_link_leaves_the_address_for_a_cookie(deck: Deck, one: Looker) -> None:
    connection = HTTPConnection("127.0.0.1", deck.port, timeout=20)
    connection.request("GET", f"/look/session?session=one&look={one.shown}")
    with connection.getresponse() as reply:
        connection.close()
    assert (reply.status, reply.headers["Location"]) == (303, "/look/session?session=one")
    cookie, *rules = reply.headers["Set-Cookie"].split("; ")
    assert cookie == one.cookie["Cookie"]
    assert rules == ["Path=/", "HttpOnly", "SameSite=Lax"]


@pytest.mark.parametrize("path", ["/feed/one", "/wall/feed"])
def test_a_revoked_link_ends_what_is_open_by_it_and_nothing_else(
    deck: Deck, everything: Looker, path: str
) -> None:
    own = Looker(deck, deck.gate.links.make(None)[0])
    ending, staying = own.feed(path), everything.feed(path)
    ending.recv()
    staying.recv()
    reply = deck_api(deck, "DELETE", f"/api/links/{own.link.id}")
    assert reply == {"status": "revoked", "id": own.link.id}
    opcode = None
    while opcode != websocket.ABNF.OPCODE_CLOSE:
        opcode, data = ending.recv_data()
    assert int.from_bytes(data[:2], "big") == 4403
    for _ in range(3):
        staying.recv()
    ending.shutdown()
    staying.close()
    assert refused(own, path)
    assert own.ask("GET", "/look/session?session=one") == 401
    assert deck_api(deck, "GET", "/api/links")["count"] == len(deck.gate.links.all)


def deck_api(deck: Deck, method: str, path: str) -> dict:
    connection = HTTPConnection("127.0.0.1", deck.port, timeout=20)
    connection.request(method, path, headers={"Authorization": f"Bearer {SECRET}"})
    with connection.getresponse() as reply:
        read = json.loads(reply.read())
    connection.close()
    return read


def test_the_audit_names_the_link_and_keeps_no_secret(tmp_path) -> None:
    made = Deck(small_recording(6, 400), [Arena], token=SECRET)
    object.__setattr__(made.gate, "audit", Audit(tmp_path / "audit.jsonl"))
    try:
        made.store.create("one")
        looker = Looker(made, made.gate.links.make("one")[0])
        looker.ask("GET", "/look/session?session=one")
        status(made, "GET", f"/look/session?session=one&look={looker.shown}", {})
        looker.ask("DELETE", "/api/sessions/one")
    finally:
        made.stop()
        made.gate.audit.close()
    text = (tmp_path / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(each["token"], each["result"]) for each in lines] == [
        (f"link {looker.link.id}", 200), (f"link {looker.link.id}", 303), (None, 403),
    ]  # fmt: skip
    assert looker.shown.split(".")[1] not in text


# In a browser


@pytest.fixture
def teacher(deck: Deck, browser: Browser) -> Iterator[Page]:
    """The live page of a session, with the token."""
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        visitor = Visitor(context, deck.url)
        page = visitor.open(f"{deck.live('one')}&token={SECRET}")
        page.wait_for_selector("body[data-controls=ready]")
        yield page
        assert visitor.failures == []


def test_a_button_copies_a_link_and_who_follows_it_sees_plots_and_no_control(
    deck: Deck, teacher: Page, browser: Browser
) -> None:
    teacher.get_by_role("button", name="Copy a link that can only look").click()
    address = teacher.locator(".address")
    expect(address).to_contain_text("/look/session?session=one&look=")
    copied = teacher.evaluate("navigator.clipboard.readText()")
    expect(address).to_contain_text(copied)
    with browser.new_context() as context:
        visitor = Visitor(context, deck.url)
        page = visitor.open(f"{deck.url}{urlsplit(copied).path}?{urlsplit(copied).query}")
        page.wait_for_selector("body[data-connection=open][data-state=playing]")
        assert "look=" not in page.url
        page.wait_for_function("() => window.deckStats?.painted >= 5")
        assert page.locator(".widgets, #panel, .emergency, input, nav a").count() == 0
        assert page.get_by_role("button").all_inner_texts() == [""]  # of the theme
        (link,) = [each for each in deck.gate.links.all if deck.gate.links.signed(each) in copied]
        deck.gate.links.revoke(link.id)
        expect(page.get_by_role("alert")).to_contain_text("This link has ended")
        assert visitor.failures == visitor.foreign == []


def test_without_a_token_a_link_opens_its_page_as_well(browser: Browser) -> None:
    made = Deck(small_recording(6, 400), [Arena])
    try:
        made.store.create("one")
        link = made.api("POST", "/api/links", {"session": "one"})
        assert Token(SECRET).mark not in link["url"]
        with browser.new_context() as context:
            page = Visitor(context, made.url).open(link["url"].replace("localhost", "127.0.0.1"))
            page.wait_for_selector("body[data-connection=open]")
            expect(page.get_by_role("heading", name="one")).to_be_visible()
            page.goto(f"{made.url}/look/session?session=nobody")
            expect(page.get_by_text("There is no session nobody now")).to_be_visible()
    finally:
        made.stop()
