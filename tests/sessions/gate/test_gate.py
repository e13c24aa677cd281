"""What the gate itself answers, forgets, limits and notes, on a real stream port."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import ssl
import stat
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPSConnection, RemoteDisconnected
from pathlib import Path
from urllib.parse import quote

import pytest
import websocket
from tornado.netutil import bind_sockets

from engine.errors import BadSetting
from sessions.gate import MAX_BODY, Audit, Hosts, Origins, Rate, Rules, Token
from sessions.gate.configured import certificate
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.server import MAX_HEADERS, StreamServer, stream_rules
from sessions.settings import settings
from sessions.store import Store
from tests.builders import small_recording
from tests.certificates import self_signed
from tests.sessions.serving import Client, Reply

SECRET = "token&with=signs%"
BEARER = {"Authorization": f"Bearer {SECRET}"}
QUERY = f"token={quote(SECRET, safe='')}"


class Guarded(Client):
    """A stream port with REST and streams behind rules."""

    def __init__(self, rules: Rules, store: Store | None = None, tls: ssl.SSLContext | None = None) -> None:
        store = store or Store({"small": small_recording()})
        sockets = bind_sockets(0, "127.0.0.1")
        super().__init__(store, sockets[0].getsockname()[1], archive=None)
        context = Context(store, self.port, self.port, links=rules.links)
        routes = [*stream_rules(store), *rest_rules(context, home=True)]
        self.server = StreamServer(store, routes, sockets, rules, tls)
        self.server.start()

    def stop(self) -> None:
        self.store.close()
        self.server.stop()

    def connect(self, path: str, **options: object) -> websocket.WebSocket:
        return websocket.create_connection(f"ws://127.0.0.1:{self.port}{path}", timeout=20, **options)


@pytest.fixture
def serve() -> Iterator[type[Guarded]]:
    made: list[Guarded] = []

    def make(*arguments: object, **options: object) -> Guarded:
        made.append(Guarded(*arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def call(serve: type[Guarded]) -> Guarded:
    return serve(Rules(Origins((), ("https://lab.example",)), Hosts(("rig7",)), Token(SECRET)))


def refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    return reply.json["detail"]


# The token


def test_header_query_and_cookie_let_in(call: Guarded) -> None:
    assert call("GET", "/api/sessions", **BEARER).status == 200
    assert call("GET", "/api/sessions", Authorization=f"bEARER  {SECRET} ").status == 200
    assert call("GET", f"/api/sessions?{QUERY}").status == 200
    assert call("POST", f"/api/sessions?custom_code=one&{QUERY}").status == 200
    exchanged = call("GET", f"/docs?{QUERY}")
    cookie = exchanged.headers["Set-Cookie"].partition(";")[0]
    assert call("GET", "/api/sessions", Cookie=f"theme=dark; {cookie}").status == 200


def test_a_page_s_address_is_freed_of_the_token_by_a_cookie(call: Guarded) -> None:
    reply = call("GET", f"/docs?a=1&{QUERY}&b=%20", Accept="text/html")

    assert (reply.status, reply.headers["Location"]) == (303, "/docs?a=1&b=%20")
    parts = reply.headers["Set-Cookie"].split("; ")
    assert parts[1:] == ["Path=/", "HttpOnly", "SameSite=Lax"]
    assert SECRET not in parts[0]
    assert quote(SECRET, safe="") not in parts[0]
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["//evil.example/", "/\\evil.example/", "///evil.example", "/\\/evil.example"]
)
def test_the_redirect_stays_here(call: Guarded, path: str) -> None:
    reply = call("GET", f"{path}?{QUERY}")

    assert reply.status == 303
    assert re.match(r"/(?![/\\])", reply.headers["Location"])


@pytest.mark.parametrize(
    "shown",
    [
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": SECRET},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": f"Bearer {SECRET[:-1]}"},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": f"Bearer {SECRET.upper()}"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": f"{Token(SECRET).cookie}={SECRET}"},
        {"Cookie": f"{Token(SECRET).cookie}="},
        {"Cookie": f"token={SECRET}"},
        {"X-Token": SECRET},
    ],
)
def test_nothing_else_does(call: Guarded, shown: Mapping[str, str]) -> None:
    said = refused(call("POST", "/api/sessions", **shown), 401, "unauthorized")
    assert "Authorization: Bearer" in said
    assert not call.store.sessions


def test_a_wrong_token_is_not_saved_by_a_cookie(call: Guarded) -> None:
    token = Token(SECRET)
    cookie = f"{token.cookie}={token.voucher}"
    refused(call("GET", "/api/sessions?token=wrong", Cookie=cookie), 401, "unauthorized")
    refused(call("GET", "/api/sessions", Cookie=cookie, Authorization="Bearer no"), 401, "unauthorized")


@pytest.mark.parametrize(
    "path", ["/health", "/", "/docs", "/api/sessions", "/stream/deck", "/no/such/page"]
)
@pytest.mark.parametrize("headers", [BEARER, {}])
def test_no_answer_may_be_framed_by_another_site(
    call: Guarded, path: str, headers: Mapping[str, str]
) -> None:
    assert call("GET", path, **headers).headers["X-Frame-Options"] == "SAMEORIGIN"


def test_only_health_is_open(call: Guarded) -> None:
    assert call("GET", "/health").status == 200
    for path in (
        "/health/",
        "/%68ealth",
        "/health%2f",
        "//health",
        "/",
        "/openapi.json",
        "/nothing",
        "/metrics",
    ):
        assert call("GET", path).status == 401, path


def test_a_person_is_asked_for_the_token(call: Guarded) -> None:
    reply = call("GET", "/docs", Accept="text/html,*/*;q=0.8")

    assert reply.status == 401
    assert b'type="password" name="token"' in reply.content
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def test_who_is_asked_for_the_token_then_gets_what_was_asked_for(call: Guarded) -> None:
    reply = call("GET", "/docs?a=1&token=wrong&b=%22%3E%3Cscript%3E&b=2", Accept="text/html")

    for name, value in (("a", "1"), ("b", "&#34;&gt;&lt;script&gt;"), ("b", "2")):
        assert f'<input type="hidden" name="{name}" value="{value}">'.encode() in reply.content
    assert b"wrong" not in reply.content
    assert b"That is not this server's token." in reply.content


def test_a_websocket_takes_header_query_or_cookie(call: Guarded) -> None:
    token = Token(SECRET)
    for path, options in (
        ("/stream/deck", {"header": [f"Authorization: Bearer {SECRET}"]}),
        (f"/stream/deck?{QUERY}", {}),
        ("/stream/deck", {"cookie": f"{token.cookie}={token.voucher}"}),
    ):
        connected = call.connect(path, **options)
        assert json.loads(connected.recv())["type"] == "metadata"
        connected.close()
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        call.connect("/stream/other")
    assert refusal.value.status_code == 401
    assert list(call.store.sessions) == ["deck"]


def test_the_token_is_in_no_log_and_no_error(call: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for path in ("/api/sessions", "/api/nothing", "/stream/deck", "/api/sessions?nonsense=1"):
        reply = call("GET", f"{path}{'&' if '?' in path else '?'}{QUERY}", **BEARER)
        assert SECRET.encode() not in reply.content
    call.connect(f"/stream/deck?{QUERY}").close()
    said = caplog.text
    assert "/api/nothing" in said
    assert SECRET not in said
    assert quote(SECRET, safe="") not in said


def test_applications_do_not_see_the_token(serve: type[Guarded]) -> None:
    call = serve(Rules())  # which asks for none
    assert call("GET", "/api/sessions?token=whatever&%74oken=again").status == 200


# Browsers


def test_a_browser_asks_without_the_token_and_may_then_read(call: Guarded) -> None:
    page = {"Origin": "https://lab.example"}
    asked = call("OPTIONS", "/api/sessions", **page, Access_Control_Request_Method="POST")
    assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, "https://lab.example")
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    for shown in (BEARER, {}):
        reply = call("GET", "/api/sessions", **page, **shown)
        assert reply.headers["Access-Control-Allow-Origin"] == "https://lab.example"
        assert "Access-Control-Allow-Credentials" not in reply.headers


def test_other_pages_may_not_even_ask(call: Guarded) -> None:
    for origin in (
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://lab.example.evil.example",
    ):
        asked = call("OPTIONS", "/api/sessions", Origin=origin, Access_Control_Request_Method="POST")
        assert asked.status == 403
        assert "Access-Control-Allow-Origin" not in asked.headers
        assert call("POST", "/api/sessions", {}, Origin=origin, **BEARER).status == 403
    assert not call.store.sessions


def test_the_server_answers_to_its_names_alone(call: Guarded) -> None:
    for host in ("localhost", "127.0.0.1:80", "[::1]:1", "rig7:8000"):
        assert call("GET", "/health", Host=host).status == 200
    for host in ("evil.example", "rig8", "rig7.evil.example"):
        said = refused(call("GET", "/health", Host=host), 403, "forbidden")
        assert "--allow-host" in said


# Limits


def test_who_asks_too_often_must_wait(serve: type[Guarded]) -> None:
    call = serve(Rules(rate=Rate(1.0)))
    statuses = [call("GET", "/api/sessions").status for _ in range(12)]
    assert statuses[:8] == [200] * 8
    late = call("GET", "/api/sessions")
    refused(late, 429, "too_many")
    assert 1 <= int(late.headers["Retry-After"]) <= 2


def test_a_watchdog_is_answered_whoever_else_asks_too_often_from_its_address(
    serve: type[Guarded],
) -> None:
    call = serve(Rules(rate=Rate(1.0), health=Rate(1.0)))
    while call("GET", "/api/sessions").status == 200:
        pass
    statuses = [call("GET", "/health").status for _ in range(12)]
    assert (statuses[:8], statuses[-1]) == ([200] * 8, 429)


def test_guessing_is_asking_too(serve: type[Guarded]) -> None:
    call = serve(Rules(token=Token(SECRET), rate=Rate(1.0)))
    statuses = [call("GET", "/api/sessions", Authorization=f"Bearer {n}").status for n in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_a_chunked_body_above_the_limit_is_refused(call: Guarded) -> None:
    connection = HTTPConnection("127.0.0.1", call.port, timeout=20)
    chunks = (b"x" * 65536 for _ in range(MAX_BODY // 65536 + 1))
    connection.request("POST", "/api/sessions", chunks, BEARER, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_headers_above_the_limit_close_the_connection(call: Guarded) -> None:
    with pytest.raises((ConnectionError, RemoteDisconnected)):
        call("GET", "/health", X_Long="x" * MAX_HEADERS)
    assert call("GET", "/health").status == 200


def test_one_address_may_make_so_many_sessions(serve: type[Guarded]) -> None:
    call = serve(Rules(), Store({"small": small_recording()}, max_per_address=2))
    for code in ("one", "two"):
        call.create(code)
    reply = call("POST", "/api/sessions", {"custom_code": "three"})
    said = refused(reply, 429, "too_many")
    assert "--sessions-per-address" in said
    assert int(reply.headers["Retry-After"]) > 0
    call.create("two")
    call("DELETE", "/api/sessions/one")
    call.create("three")


@pytest.mark.parametrize("address", ["127.0.0.2", "127.7.7.7"])
def test_all_addresses_of_this_machine_count_as_one(serve: type[Guarded], address: str) -> None:
    call = serve(Rules(rate=Rate(1.0)), Store({"small": small_recording()}, max_per_address=1))
    call.create("one")

    def ask(path: str, body: bytes | None = None) -> int:
        connection = HTTPConnection("127.0.0.1", call.port, timeout=20, source_address=(address, 0))
        connection.request("POST" if body else "GET", path, body)
        with contextlib.closing(connection), connection.getresponse() as answer:
            return answer.status

    assert ask("/api/sessions", b"{}") == 429
    while call("GET", "/api/sessions").status == 200:
        pass
    assert ask("/api/sessions") == 429


def test_one_session_may_have_so_many_decoders(serve: type[Guarded]) -> None:
    call = serve(Rules(), Store({"small": small_recording()}, max_clients=2))
    decoders = [call.connect("/stream/deck") for _ in range(2)]
    with pytest.raises(websocket.WebSocketBadStatusException) as refusal:
        call.connect("/stream/deck")
    assert refusal.value.status_code == 429
    assert "--clients-per-session" in json.loads(refusal.value.resp_body)["detail"]
    for each in decoders:
        each.close()


# The audit


def test_the_audit_says_who_did_what(serve: type[Guarded], tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path)
    token = Token(SECRET)
    call = serve(Rules(token=token, audit=audit))
    call("POST", "/api/sessions", {"custom_code": "mine"}, **BEARER)
    call("POST", f"/api/sessions/create?{QUERY}")
    call("DELETE", "/api/sessions/mine?force=true", Cookie=f"{token.cookie}={token.voucher}")
    call("POST", "/api/sessions", Authorization="Bearer wrong")
    call("GET", "/api/trials", Host="evil.example")
    call.connect(f"/stream/binary?{QUERY}").close()
    call.connect(f"/stream/two?trial_id=1&{QUERY}").close()
    for lost in (SECRET, quote(SECRET, safe=""), quote(SECRET[:9], safe="") + SECRET[9:]):
        call("GET", f"/api/sessions/{lost}", **BEARER)
        call("GET", f"/{'x' * 190}{lost}", **BEARER)
    audit.close()
    written = path.read_text()
    lines = [json.loads(line) for line in written.splitlines()]

    assert all(line["address"] == "127.0.0.1" for line in lines)
    assert all(
        re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"]) for line in lines
    )
    told = [tuple(line[name] for name in ("token", "action", "session", "result")) for line in lines]
    assert told[0] == (token.mark, "POST /api/sessions", "mine", 200)
    assert told[1][:2] == (token.mark, "POST /api/sessions/create")
    assert told[1][2] in call.store.sessions
    assert told[2] == (token.mark, "DELETE /api/sessions/mine", "mine", 200)
    assert (told[3][1:], told[3][0] != token.mark) == (("POST /api/sessions", None, 401), True)
    assert told[4] == (None, "GET /api/trials", None, 403)
    assert told[5][1] == "CONNECT /stream/binary"
    assert told[5][2] in call.store.sessions
    assert told[6] == (token.mark, "CONNECT /stream/two", "two", 101)
    assert SECRET not in written
    assert quote(SECRET, safe="") not in written
    assert SECRET[:9] not in written
    assert told[7][1] == "GET /api/sessions/[token]"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_audit_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="--audit-log"):
        Audit(tmp_path)


# TLS


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def test_tls_carries_rest_and_streams_and_a_secure_cookie(
    serve: type[Guarded], pair: tuple[Path, Path]
) -> None:
    chosen = settings(["--certfile", str(pair[0]), "--keyfile", str(pair[1])])
    call = serve(Rules(token=Token(SECRET)), tls=certificate(chosen))
    trusting = ssl.create_default_context(cafile=str(pair[0]))
    connection = HTTPSConnection("127.0.0.1", call.port, timeout=20, context=trusting)
    connection.request("GET", f"/docs?{QUERY}")
    answer = connection.getresponse()
    assert answer.status == 303
    assert answer.headers["Set-Cookie"].endswith("; Secure")
    connection.close()
    decoder = websocket.create_connection(
        f"wss://127.0.0.1:{call.port}/stream/deck?{QUERY}", timeout=20, sslopt={"context": trusting}
    )
    metadata = json.loads(decoder.recv())
    assert metadata["session"]["url"] == f"wss://127.0.0.1:{call.port}/stream/deck"
    assert json.loads(decoder.recv())["data"]["sequence_number"] == 0
    decoder.close()


@pytest.mark.parametrize("wrong", ["missing", "no key", "not pem", "key alone"])
def test_a_certificate_that_cannot_be_used_is_one_line(
    pair: tuple[Path, Path], tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "text").write_text("not a certificate")
    flags = {
        "missing": ["--certfile", str(tmp_path / "none.crt")],
        "no key": ["--certfile", str(pair[0])],
        "not pem": ["--certfile", str(tmp_path / "text")],
        "key alone": ["--keyfile", str(pair[1])],
    }[wrong]
    with pytest.raises(BadSetting, match="--certfile") as refusal:
        certificate(settings(flags))
    assert "\n" not in str(refusal.value)
