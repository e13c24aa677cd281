"""No address leads out of the folders that are served, however it is spelled."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from plotters.arena import Arena
from sessions.archive import Archive
from tests.builders import small_recording
from tests.dashboard.conftest import Deck
from tests.sessions.serving import Sketches

UP = [
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%2E%2E%2F", "..\\", "..%5c", "%2e%2e%5c", "..%252f",
    "%252e%252e%252f", "..%c0%af", "%c0%ae%c0%ae/", "..%ef%bc%8f", "%ef%bc%8e%ef%bc%8e/", "..%e2%88%95",
    "....//", "..../", "..;/", "..//", "./../", "%2e./", ".%2e/", "..%00/", "x/../../", "..%0a/", "..%09/",
    "..?/", "..%23/",
]  # fmt: skip
"""Ways to say "one folder up" that some server has understood."""
SPELLINGS = [
    *(8 * up + "etc/passwd" for up in UP),
    "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "%252fetc%252fpasswd", "file:///etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd", "/proc/self/environ", "/proc/self/cwd/serve.py", "~root/../etc/passwd",
    "..%2f..%2fserve.py", "../serve.py", "%2e%2e/pyproject.toml", "..%2frecords%2fsecret.nwb",
    "../secret.nwb", "....//....//serve.py", "C:%5cWindows%5cwin.ini", "etc/passwd%00.png",
    "../../../../etc/passwd%00.nwb",
]  # fmt: skip
PLACES = {
    "static files of ours": "/resources/{}",
    "static files of Bokeh": "/static/{}",
    "static files of extensions": "/static/extensions/panel/{}",
    "Panel's components": "/components/{}",
    "name of a recording": "/api/metadata?recording={}",
    "name of a recording, downloaded": "/api/recording/bins.npz?recording={}",
    "name of a recording, on a page": "/explore?recording={}",
    "code of a session, on a page": "/live?session={}",
    "code of a session": "/api/sessions/{}",
    "code of a session, as a picture": "/api/sessions/{}/snapshot.png",
    "name of a picture": "/api/sessions/deck/{}",
    "plots of a picture": "/api/sessions/deck/snapshot.png?plots={}",
    "record": "/api/records/{}.nwb",
    "table of a record": "/api/records/{}.npz",
    "result of a calibration": "/api/calibrations/{}/figure.png",
    "stream": "/stream/{}",
    "feed": "/feed/{}",
}
LEAKS = (
    b"root:x:0:",
    b"PATH=",
    b"PhantomDeck's command line",
    b"[build-system]",
    b"not for everybody",
    b"Traceback",
)


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.nwb").write_text("not for everybody")
    archive = Archive(folder / "records")
    archive.folder.mkdir()
    made = Deck(small_recording(), [Arena], studio=Sketches(), archive=archive)
    made.store.create("deck")
    yield made
    made.stop()
    archive.close()


def ask(port: int, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and answer; the address goes as it is, which no client would send."""
    head = f"{method} {target} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize("place", PLACES)
def test_nothing_outside_is_read(deck: Deck, place: str) -> None:
    for spelling in SPELLINGS:
        code, answer = ask(deck.port, "GET", PLACES[place].format(spelling))
        assert 400 <= code < 500 or (place.endswith("on a page") and code == 200), (spelling, code)
        assert not any(leak in answer for leak in LEAKS), spelling


def test_nothing_outside_is_made(deck: Deck, tmp_path: Path) -> None:
    deck.store.create("deck")
    before = sorted(deck.archive.folder.parent.rglob("*"))
    for spelling in SPELLINGS:
        for target, body in (
            ("/api/sessions", {"custom_code": spelling}),
            ("/api/sessions/deck/record", {"name": spelling}),
            (f"/api/sessions/{quote(spelling, safe='')}/record", {}),
        ):
            code, answer = ask(deck.port, "POST", target, json.dumps(body).encode())
            assert 400 <= code < 500, (target, spelling, answer)
    assert sorted(deck.archive.folder.parent.rglob("*")) == before
    assert list(deck.store.sessions) == ["deck"]


def test_the_corpus_is_large_and_has_no_two_alike() -> None:
    contexts = [place.format(spelling) for place, spelling in product(PLACES.values(), SPELLINGS)]
    assert len(set(contexts)) == len(contexts) >= 100
