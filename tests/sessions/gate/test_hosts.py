"""The server answers to its address, to localhost, and to the names that it is given."""

from __future__ import annotations

import pytest

from sessions.gate.hosts import Hosts, is_loopback, one_address

HOSTS = Hosts(("rig7.lab", "Deck.Example"))


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8000", "192.168.1.7:5006",
        "[::1]", "[::1]:8000", "[fe80::1]:80", "rig7.lab", "RIG7.lab:443", "deck.example:8000",
    ],
)  # fmt: skip
def test_own_names_are_allowed(host: str) -> None:
    assert HOSTS.allow(host)


@pytest.mark.parametrize(
    "host",
    [
        "", ":8000", "evil.example", "evil.example:8000", "localhost.evil.example",
        "127.0.0.1.evil.example", "localhost@evil.example", "evil.example@localhost",
        "localhost/evil", "localhost?", "localhost#",
        "2130706433", "0x7f.1", "127.1", "::1", "[::1", "localhost:port", "localhost:70000", "localhost:0",
        "localhost.", "rig7", "sub.rig7.lab", "localhost, evil.example", "localhost evil", "127.0.0.1%00",
    ],
)  # fmt: skip
def test_other_names_are_not(host: str) -> None:
    assert not HOSTS.allow(host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.1.7", "rig7.lab", "127.0.0.1.nip.io"])
def test_everything_else_can_be_reached_by_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "127.0.0.2", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:127.3.2.1"]
)
def test_addresses_of_this_machine_are_one(ip: str) -> None:
    assert one_address(ip) == "127.0.0.1"


@pytest.mark.parametrize(
    ("ip", "known"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("::ffff:10.0.0.3", "10.0.0.3"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
    ],
)
def test_others_are_each_their_own(ip: str, known: str) -> None:
    assert one_address(ip) == known
