"""Entries of an append-only file, plain or encrypted: an entry is whole, or it and what follows never was.

A file is a preamble (magic, whether it is sealed, salt) and then entries: the length and the CRC-32 of
a body, and the body, which is a name, a line feed and content. A sealed body is encrypted with
AES-256-GCM; the key comes from a passphrase and the file's own salt by scrypt (RFC 7914), and the
nonce is the entry's number, so that entries can be neither changed, nor moved, nor left out.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from engine.errors import RecordingError

PREAMBLE: Final = struct.Struct("<8s?16s")
MAGIC: Final = b"PHDECK01"
HEAD: Final = struct.Struct("<II")
END: Final = "end"
"""Name of the entry after which a file is complete."""


class Entries:
    """Appends entries to a file.

    Parameters
    ----------
    file : binary file
        Empty.
    passphrase : str, optional
        Seals every entry. Deriving the key takes about 0.1 s.
    """

    def __init__(self, file: BinaryIO, passphrase: str | None = None) -> None:
        salt = os.urandom(16)
        self._file = file
        self._seal = None if passphrase is None else _Seal(passphrase, salt)
        file.write(PREAMBLE.pack(MAGIC, passphrase is not None, salt))
        self.written = PREAMBLE.size

    def append(self, name: str, content: bytes) -> None:
        """Write an entry, which may still be in the file's buffer afterwards.

        Raises
        ------
        OSError
            If the disk is full, for instance.
        """
        body = name.encode() + b"\n" + content
        if self._seal is not None:
            body = self._seal.close(body)
        self._file.write(HEAD.pack(len(body), zlib.crc32(body)) + body)
        self.written += HEAD.size + len(body)


def is_sealed(file: BinaryIO, name: str) -> bool:
    """Whether a file's entries are encrypted; leaves the file at its first entry.

    Raises
    ------
    RecordingError
        If it has no entries. `name` is the file's, for messages.
    """
    return _preamble(file, name)[0]


def read_entries(file: BinaryIO, name: str, passphrase: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all entries up to the first that is not whole.

    Parameters
    ----------
    file : binary file
    name : str
        The file's, for messages.
    passphrase : str, optional

    Raises
    ------
    RecordingError
        If the file has no entries, or the passphrase does not open them.
    """
    sealed, salt = _preamble(file, name)
    if sealed and passphrase is None:
        raise RecordingError(f"{name} is encrypted. Put its passphrase into PHANTOM_RECORD_KEY.")
    seal = _Seal(passphrase, salt) if sealed and passphrase is not None else None
    while len(head := file.read(HEAD.size)) == HEAD.size:
        size, checksum = HEAD.unpack(head)
        body = file.read(size)
        if len(body) < size or zlib.crc32(body) != checksum:
            return
        if seal is not None:
            body = seal.open(body, name)
        entry, _, content = body.partition(b"\n")
        yield entry.decode(), content


def _preamble(file: BinaryIO, name: str) -> tuple[bool, bytes]:
    start = file.read(PREAMBLE.size)
    if len(start) < PREAMBLE.size or not start.startswith(MAGIC):
        raise RecordingError(f"{name} is not a record, or an empty one. Check what it is.")
    _, sealed, salt = PREAMBLE.unpack(start)
    return sealed, salt


class _Seal:
    """One file's key and the number of its next entry."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only where it is needed

        limit = 64 * 1024 * 1024
        key = hashlib.scrypt(passphrase.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=limit, dklen=32)
        self._cipher = AESGCM(key)
        self._number = 0

    def close(self, body: bytes) -> bytes:
        return self._cipher.encrypt(self._nonce(), body, None)

    def open(self, body: bytes, name: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(self._nonce(), body, None)
        except InvalidTag:
            raise RecordingError(
                f"The passphrase does not open {name}. Put the right one into PHANTOM_RECORD_KEY."
            ) from None

    def _nonce(self) -> bytes:
        self._number += 1
        return self._number.to_bytes(12, "big")
