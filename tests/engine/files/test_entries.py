"""Entries are read back as they were written, up to the first that is not whole, and only with the key."""

from __future__ import annotations

import io

import pytest

from engine.errors import RecordingError
from engine.files.entries import Entries, is_sealed, read_entries

WRITTEN = [("header", b'{"a": 1}'), ("bins", bytes(range(256)) * 40), ("end", b"")]


def written(passphrase: str | None = None) -> bytes:
    file = io.BytesIO()
    entries = Entries(file, passphrase)
    for name, content in WRITTEN:
        entries.append(name, content)
    assert entries.written == len(file.getvalue())
    return file.getvalue()


def read(content: bytes, passphrase: str | None = None) -> list[tuple[str, bytes]]:
    return list(read_entries(io.BytesIO(content), "a.journal", passphrase))


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_frames_are_read_back_as_they_were_written(passphrase: str | None) -> None:
    content = written(passphrase)
    assert is_sealed(io.BytesIO(content), "a.journal") is (passphrase is not None)
    assert read(content, passphrase) == WRITTEN


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_what_was_written_last_may_be_torn(passphrase: str | None) -> None:
    content = written(passphrase)
    last_but_one = len(content) - len(b"end\n") - 8 - (16 if passphrase else 0)
    for end in (len(content) - 1, last_but_one + 3, last_but_one):
        assert read(content[:end], passphrase) == WRITTEN[:2]
    assert read(content[: last_but_one - 1], passphrase) == WRITTEN[:1]


def test_a_sealed_file_shows_nothing_and_differs_every_time() -> None:
    content = written("correct horse")
    assert b"header" not in content
    assert b'{"a": 1}' not in content
    assert bytes(range(32)) not in content
    assert written("correct horse")[25:] != content[25:]


def test_a_sealed_file_needs_its_passphrase() -> None:
    content = written("correct horse")
    with pytest.raises(RecordingError, match=r"a\.journal is encrypted.*PHANTOM_RECORD_KEY"):
        read(content)
    with pytest.raises(RecordingError, match=r"The passphrase does not open a\.journal"):
        read(content, "battery staple")


def test_sealed_frames_cannot_be_left_out() -> None:
    content = written("correct horse")
    size = int.from_bytes(content[25:29], "little")
    with pytest.raises(RecordingError, match="does not open"):
        read(content[:25] + content[25 + 8 + size :], "correct horse")


@pytest.mark.parametrize("content", [b"", b"PHDECK", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_another_file_is_refused_by_its_name(content: bytes) -> None:
    with pytest.raises(RecordingError, match=r"a\.journal is not a record"):
        read(content)
