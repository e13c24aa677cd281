"""What sessions are called."""

from __future__ import annotations

import re
import time
from collections.abc import Container
from typing import Final

import coolname

from sessions.refusals import BadCode

CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
RESERVED: Final = ("binary", "raw")


def checked_code(code: str) -> str:
    """The code, if it is one.

    Raises
    ------
    BadCode
    """
    if not CODE.fullmatch(code) or code in RESERVED:
        raise BadCode(
            f"Bad session code {code[:80]!r}. Use 1 to 64 letters, digits, '_' or '-'; "
            f"{' and '.join(RESERVED)} are reserved."
        )
    return code


def made_up(taken: Container[str]) -> str:
    """A readable code that is not taken."""
    while True:
        adjective, noun = coolname.generate(2)
        code = f"{adjective}-{noun}-{time.time_ns() % 90 + 10}"
        if code not in taken and CODE.fullmatch(code):
            return code
