"""Every route of both ports, asked with every combination of token, host and origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import product

import pytest
from tornado.netutil import bind_sockets
from tornado.web import Application

from plotters.arena import Arena
from sessions.gate import Origins, Rate, Rules, Token
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.server import StreamServer, stream_rules
from sessions.store import Store
from tests.builders import small_recording
from tests.dashboard.conftest import Deck
from tests.sessions.serving import Silence, Sketches

SECRET = "a-right-token"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@dataclass
class Port:
    number: int
    application: Application

    @property
    def addresses(self) -> dict[str, str]:
        """A path for every route, by its pattern."""
        patterns = [rule.matcher.regex for rule in self.application.wildcard_router.rules]
        found = {pattern.pattern: path_for(pattern) for pattern in patterns}
        quick = "?recording=nobody"  # the page says so, and draws nothing
        return {each: path + quick * path.startswith("/explore") for each, path in found.items()}


def path_for(pattern: re.Pattern[str]) -> str:
    """A path that a route takes."""
    path = pattern.pattern.removesuffix("$")
    path = re.sub(r"\((?:\?P<\w+>)?([^()]*)\)", lambda group: "7" if r"\d" in group[1] else "sample", path)
    path = re.sub(r"\\(.)", r"\1", path.replace("/?", "").replace(".*", "sample")) or "/"
    assert pattern.fullmatch(path), f"No path is known for the route {pattern.pattern}: teach path_for"
    return path


def gate(*ports: int) -> Rules:
    return Rules(Origins(ports), token=Token(SECRET), rate=Rate(1e6))


@pytest.fixture(scope="module")
def streams() -> Iterator[Port]:
    store = Store({"small": small_recording()}, max_sessions=3, make_inlet=Silence)
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    rules = [*stream_rules(store), *rest_rules(Context(store, port, port, studio=Sketches()), home=True)]
    server = StreamServer(store, rules, sockets, gate(port))
    server.start()
    yield Port(port, Application(rules))
    store.close()
    server.stop()


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Port]:
    deck = Deck(small_recording(), [Arena], studio=Sketches(), token=SECRET)
    yield Port(deck.port, deck.server._tornado)
    deck.stop()


@pytest.fixture(params=["streams", "dashboard"])
def port(request: pytest.FixtureRequest) -> Port:
    return request.getfixturevalue(request.param)


def status(connection: HTTPConnection, method: str, path: str, headers: dict[str, str]) -> int:
    """Of the answer, whose connection is used again if it may be."""
    connection.putrequest(method, path, skip_host=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    with connection.getresponse() as answer:
        if answer.status == 101:
            connection.close()
        else:
            answer.read()
    return answer.status


TOKENS = {"no token": {}, "wrong": "a-wrong-token", "right": SECRET}
HOSTS = {"good host": "127.0.0.1:{port}", "bad host": "rebound.example:{port}"}
ORIGINS = {"no origin": None, "own origin": "http://127.0.0.1:{port}", "foreign": "http://evil.example"}


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("origin", ORIGINS)
def test_every_route_lets_in_who_may_come_in_and_nobody_else(
    port: Port, token: str, host: str, origin: str
) -> None:
    headers = {"Host": HOSTS[host].format(port=port.number)}
    if TOKENS[token]:
        headers["Authorization"] = f"Bearer {TOKENS[token]}"
    if ORIGINS[origin]:
        headers["Origin"] = ORIGINS[origin].format(port=port.number)
    connection = HTTPConnection("127.0.0.1", port.number, timeout=30)
    wrong = []
    asked = [*product(METHODS, [{}]), ("GET", UPGRADE)]
    for (pattern, path), (method, more) in product(port.addresses.items(), asked):
        got = status(connection, method, path, {**headers, **more})
        if host == "bad host":
            fits = got == 403
        elif token != "right" and path != "/health":
            fits = got == 401
        elif origin == "foreign":
            fits = got == 403
        else:
            fits = got not in (401, 403, 500)
        if not fits:
            wrong.append(f"{method} {'upgrade ' if more else ''}{pattern}: {got}")
    connection.close()
    assert wrong == []


def test_no_other_site_may_show_any_answer_in_a_frame(port: Port) -> None:
    connection = HTTPConnection("127.0.0.1", port.number, timeout=30)
    wrong = []
    for path, headers in product(
        [*port.addresses.values(), "/nothing/here"], [{}, {"Authorization": f"Bearer {SECRET}"}]
    ):
        connection.request("GET", path, headers={**headers, "Accept": "text/html"})
        with connection.getresponse() as answer:
            answer.read()
        policy = answer.headers["Content-Security-Policy"] or ""
        framed = "frame-ancestors 'self'" in policy or "frame-ancestors 'none'" in policy
        if not framed or answer.headers["X-Frame-Options"] != "SAMEORIGIN":
            wrong.append(f"{path}: {answer.status} {policy}")
    connection.close()
    assert wrong == []


@pytest.mark.parametrize("way", ["query", "cookie"])
def test_a_wrong_token_opens_nothing_and_earns_no_cookie_however_it_is_shown(port: Port, way: str) -> None:
    connection = HTTPConnection("127.0.0.1", port.number, timeout=30)
    name = Token(SECRET).cookie
    headers = {"Cookie": f"{name}=wrong"} if way == "cookie" else {}
    wrong = []
    for path in port.addresses.values():
        more = ("&" if "?" in path else "?") + "token=wrong" if way == "query" else ""
        connection.request("GET", path + more, headers={**headers, "Accept": "text/html"})
        with connection.getresponse() as answer:
            answer.read()
        expected = 200 if path == "/health" else 401
        if answer.status != expected or answer.headers["Set-Cookie"]:
            wrong.append(f"{path}: {answer.status} {answer.headers['Set-Cookie']}")
    connection.close()
    assert wrong == []


def test_the_matrix_knows_every_kind_of_route(streams: Port, dashboard: Port) -> None:
    rest = {"/api/trials/7", "/api/sessions/sample", "/health", "/stream/sample", "/stream/binary/sample"}
    assert rest <= set(streams.addresses.values())
    pages = {"/", "/live", "/explore", "/explore/ws", "/static/sample", "/resources/sample", "/feed/sample"}
    assert rest | pages <= {path.partition("?")[0] for path in dashboard.addresses.values()}


def test_panels_and_bokehs_needless_routes_are_closed(dashboard: Port) -> None:
    connection = HTTPConnection("127.0.0.1", dashboard.number, timeout=30)
    headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {SECRET}"}
    for path in (
        "/components/antigravity/fly/_resources/x",
        "/explore/autoload.js?bokeh-autoload-element=1",
    ):
        assert status(connection, "GET", path, headers) == 404
    connection.close()
