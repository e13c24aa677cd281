"""Pages of our own and of the origins that are named may connect; no others."""

from __future__ import annotations

import pytest

from sessions.gate.origins import Origins

ORIGINS = Origins((8000, 5006), ("https://lab.example", "null"))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:5006", "localhost:8000"),
        ("http://localhost:8000", "localhost:8000"),
        ("https://rig7.lab:5006", "rig7.lab:8000"),
        ("http://LOCALHOST:5006", "localhost:8000"),
        ("http://[::1]:5006", "[::1]:8000"),
        ("https://lab.example", "localhost:8000"),
        ("null", "localhost:8000"),
    ],
)
def test_own_ports_and_named_origins_may(origin: str, host: str) -> None:
    assert ORIGINS.allow(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://rig7.lab", "rig7.lab"),
        ("https://rig7.lab:9443", "rig7.lab:9443"),
    ],
)
def test_page_of_the_very_address_may_wherever_a_port_is_mapped_to(origin: str, host: str) -> None:
    assert Origins((8000, 5006)).allow(origin, host)


def test_origin_without_a_port_has_the_standard_one() -> None:
    assert Origins((80, 8000)).allow("http://rig7.lab", "rig7.lab:8000")
    assert Origins((443, 8000)).allow("https://rig7.lab", "rig7.lab:8000")
    assert not Origins((443, 8000)).allow("http://rig7.lab", "rig7.lab:8000")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example:5006", "localhost:8000"),
        ("http://localhost:3000", "localhost:8000"),
        ("http://localhost", "localhost:8000"),
        ("http://localhost.evil.example:5006", "localhost:8000"),
        ("http://127.0.0.1:5006", "localhost:8000"),
        ("http://localhost:5006@evil.example", "localhost:8000"),
        ("https://lab.example.evil.example", "localhost:8000"),
        ("http://lab.example", "localhost:8000"),
        ("http://localhost:port", "localhost:8000"),
        ("http://[::1", "localhost:8000"),
        ("http://localhost:5006", "localhost:nonsense"),
        ("", "localhost:8000"),
        ("", ""),
        ("file://", ""),
    ],
)
def test_others_may_not(origin: str, host: str) -> None:
    assert not ORIGINS.allow(origin, host)


def test_page_from_a_file_is_foreign_unless_named() -> None:
    assert not Origins((8000,)).allow("null", "localhost:8000")
    assert not Origins((8000,)).allow("null", "")
