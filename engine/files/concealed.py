"""A file on the disk that nobody can read but who has made it, for what does not fit into memory."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

PAGE: Final = 64 * 1024
"""Bytes that are encrypted together."""


class Concealed(io.RawIOBase):
    """A file without a name, encrypted with a key that is in the memory of this process alone.

    Anything can be read and written anywhere, as by h5py. Pages are encrypted with AES-256 in XTS mode
    (IEEE 1619), each by its number. What was never written reads as zeros.

    Parameters
    ----------
    folder : Path
        On the disk that has room for it.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # only where needed

        key = algorithms.AES(os.urandom(64))
        self._cipher: Callable[[int], Cipher[modes.XTS]] = lambda number: Cipher(
            key, modes.XTS(number.to_bytes(16, "little"))
        )
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115
        self._written: set[int] = set()  # pages
        self._newest = (-1, b"")  # the page that was last in use, and its number
        self._at = self._size = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Make it longer, by zeros, or shorter."""
        size = self._at if size is None else size
        if size < self._size:
            number, start = divmod(size, PAGE)
            self._store(number, self._page(number)[:start] + bytes(PAGE - start))
            self._written = {page for page in self._written if page <= number}
        self._size = size
        return size

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        n, done = max(min(len(view), self._size - self._at), 0), 0
        while done < n:
            number, start = divmod(self._at, PAGE)
            part = memoryview(self._page(number))[start : start + n - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._at += len(part)
        return n

    def write(self, content: Any) -> int:
        view, done = memoryview(content).cast("B"), 0
        while done < len(view):
            number, start = divmod(self._at, PAGE)
            part = view[done : done + PAGE - start]
            page = bytearray(PAGE if len(part) == PAGE else self._page(number))
            page[start : start + len(part)] = part
            self._store(number, bytes(page))
            done += len(part)
            self._at += len(part)
        self._size = max(self._size, self._at)
        return done

    def close(self) -> None:
        self._file.close()
        super().close()

    def _page(self, number: int) -> bytes:
        if self._newest[0] != number:
            page = bytes(PAGE)
            if number in self._written:
                self._file.seek(number * PAGE)
                page = self._cipher(number).decryptor().update(self._file.read(PAGE))
            self._newest = number, page
        return self._newest[1]

    def _store(self, number: int, page: bytes) -> None:
        self._file.seek(number * PAGE)
        self._file.write(self._cipher(number).encryptor().update(page))
        self._written.add(number)
        self._newest = number, page
