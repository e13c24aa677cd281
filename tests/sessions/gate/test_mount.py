"""Requests behind a proxy's path: what is stripped, and who is believed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, RequestStartLine

from sessions.gate.hosts import Hosts
from sessions.gate.mount import forwarded, without_prefix

HOSTS = Hosts(("lab.example",))


@pytest.mark.parametrize(
    ("target", "routed"),
    [
        ("/deck/live?session=a", "/live?session=a"),
        ("/live", "/live"),
        ("/deck", "/"),
        ("/deck?x=1", "/?x=1"),
        ("/decks/live", "/decks/live"),
        ("/a/deck/live", "/a/deck/live"),
    ],
)
def test_a_path_answers_with_and_without_the_prefix(target: str, routed: str) -> None:
    line = RequestStartLine("GET", target, "HTTP/1.1")
    assert without_prefix(line, "/deck").path == routed
    assert without_prefix(line, "").path == target


@pytest.mark.parametrize(
    ("address", "host", "believed"),
    [
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("::1", "lab.example", True),
        ("192.0.2.7", "127.0.0.1:8000", False),
        ("127.0.0.1", "evil.example:8000", False),  # a page of this name, which points here
    ],
)
def test_a_proxy_is_believed_from_loopback_and_by_our_names(
    address: str, host: str, believed: bool
) -> None:
    asked = {"Host": host, "X-Forwarded-Host": "lab.example", "X-Forwarded-Proto": "https"}
    context = SimpleNamespace(remote_ip=address, protocol="http")
    headers, seen = forwarded(HTTPHeaders(asked), context, HOSTS)
    assert headers["Host"] == ("lab.example" if believed else host)
    assert seen.protocol == ("https" if believed else "http")
    assert ("X-Forwarded-Host" in headers) == believed
    assert context.protocol == "http"  # the next request of the connection is another


def test_a_proxy_that_tells_its_path_alone_passes_on_the_host_by_which_it_was_called() -> None:
    asked = HTTPHeaders(
        {"Host": "127.0.0.1:8888", "X-Forwarded-Prefix": "/proxy/5006"}
    )  # as Jupyter's does
    near, far = (SimpleNamespace(remote_ip=ip, protocol="http") for ip in ("127.0.0.1", "192.0.2.7"))
    assert forwarded(asked, near, HOSTS)[0]["X-Forwarded-Host"] == "127.0.0.1:8888"
    assert set(forwarded(asked, far, HOSTS)[0]) == {"Host"}
